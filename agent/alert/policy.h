// Policy: what the operator decided about rules, and what is in force for one subject. From the
// settings. A value; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/alert/rule.h"

namespace agent::alert {

// alerts.rules.<Name>: what is absent keeps the table's default.
struct Override {
  std::optional<double> threshold;
  std::optional<Duration> hold;
  std::optional<Severity> severity;
  bool enabled = true;
};

struct InForce {
  double threshold = 0;
  Duration hold{}, keep{};
  Severity severity = Severity::kWarning;
};

class Policy {
 public:
  Policy() : overrides_(rules().size()) {}

  void set(std::size_t rule, Override o) { overrides_[rule] = o; }
  // The threshold where neither a subject nor `set` gives one. Empty: the table's.
  void fall_back(std::string_view rule, std::optional<double> threshold);
  // Labels of sessions that their alerts carry.
  void carry(std::vector<std::string> labels) { labels_ = std::move(labels); }
  // Where runbooks are: what stands before an alert's name.
  void refer_to(std::string runbooks) { runbooks_ = std::move(runbooks); }

  // What holds for this rule: the subject's own threshold, then the operator's, then the table's.
  // Empty: the rule is off.
  [[nodiscard]] std::optional<InForce> in_force(std::size_t rule, const Subject& subject) const;
  // The same where no subject is at hand.
  [[nodiscard]] std::optional<InForce> in_force(std::size_t rule) const;
  // The operator's, then the table's.
  [[nodiscard]] Duration hold(std::size_t rule) const {
    return overrides_[rule].hold.value_or(rules()[rule].hold);
  }
  [[nodiscard]] Severity severity(std::size_t rule) const {
    return overrides_[rule].severity.value_or(rules()[rule].severity);
  }
  [[nodiscard]] bool enabled(std::size_t rule) const { return overrides_[rule].enabled; }
  [[nodiscard]] const std::vector<std::string>& labels() const { return labels_; }
  [[nodiscard]] const std::string& runbooks() const { return runbooks_; }

 private:
  std::vector<Override> overrides_;  // by rule
  std::vector<std::string> labels_;
  std::string runbooks_ = "/runbooks#";
};

}  // namespace agent::alert
