#include "agent/notify/encode.h"

#include <algorithm>
#include <cstdio>

#include "agent/alert/text.h"
#include "agent/progress/text.h"
#include "agent/utf8.h"

namespace agent::notify {
namespace {

// RFC 3339, UTC, milliseconds.
std::string time_text(Instant time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(time - day));
  char text[64];
  std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

// An object of texts.
class Texts {
 public:
  explicit Texts(std::string& out) : out_(out) { out_ += '{'; }
  Texts& add(std::string_view name, std::string_view value) {
    if (out_.back() != '{') out_ += ',';
    append_json_string(out_, name);
    out_ += ':';
    append_json_string(out_, value);
    return *this;
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
};

void put(std::string& out, const Labels& labels) {
  Texts texts(out);
  for (const auto& [name, value] : labels) texts.add(name, value);
  texts.end();
}

Labels annotations_of(const alert::Alert& alert, const Target& target) {
  const bool is_own = alert.runbook_url.starts_with('/');
  return {{"summary", std::string(alert::rules()[alert.rule].summary)},
          {"description", alert.message},
          {"recommendation", alert.recommendation},
          {"runbook_url", is_own ? target.own_url + alert.runbook_url : alert.runbook_url}};
}

std::string fingerprint(const Labels& labels) {
  std::string key;
  for (const auto& [name, value] : labels)
    key.append(name).append("\xff").append(value).append("\xff");
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(progress::stable_hash(key)));
  return text;
}

Instant start_of(const alert::Alert& alert) { return alert.starts_at.value_or(alert.breached_at); }

// What all have in common.
Labels common(std::span<const Labels> all) {
  Labels out = all.empty() ? Labels() : all.front();
  for (const Labels& labels : all) {
    std::erase_if(out, [&](const auto& item) { return std::ranges::count(labels, item) == 0; });
  }
  return out;
}

void put_webhook_alert(std::string& out, const Notice& notice, const Labels& labels,
                       const Target& target) {
  out += notice.is_firing ? R"({"status":"firing","labels":)" : R"({"status":"resolved","labels":)";
  put(out, labels);
  out += ",\"annotations\":";
  put(out, annotations_of(notice.alert, target));
  constexpr const char* kNever = "0001-01-01T00:00:00Z";
  out += ",\"startsAt\":\"" + time_text(start_of(notice.alert)) + "\",\"endsAt\":\"" +
         (notice.alert.ends_at ? time_text(*notice.alert.ends_at) : kNever) +
         R"(","generatorURL":"","fingerprint":")" + fingerprint(labels) + "\"}";
}

}  // namespace

Labels labels_of(const alert::Alert& alert, const Labels& external) {
  Labels out = {{"alertname", alert::alert_name(alert::rules()[alert.rule])},
                {"severity", std::string(name_of(alert.severity))}};
  if (!alert.session.empty()) out.emplace_back("session", alert.session);
  if (!alert.family.empty()) out.emplace_back("family", alert.family);
  for (const Labels* more : {&alert.labels, &external}) {
    for (const auto& label : *more) {
      const bool is_taken = std::ranges::count(out, label.first, &Labels::value_type::first) > 0;
      if (!is_taken && !label.second.empty()) out.push_back(label);
    }
  }
  std::ranges::sort(out);
  return out;
}

std::string alertmanager_json(std::span<const Notice> notices, const Target& target, Instant now,
                              Duration ends) {
  std::string out = "[";
  for (const Notice& notice : notices) {
    if (out.size() > 1) out += ',';
    out += "{\"labels\":";
    put(out, labels_of(notice.alert, target.external_labels));
    out += ",\"annotations\":";
    put(out, annotations_of(notice.alert, target));
    out += ",\"startsAt\":\"" + time_text(start_of(notice.alert)) + "\",\"endsAt\":\"" +
           time_text(notice.alert.ends_at.value_or(now + ends)) + "\"}";
  }
  return out + "]";
}

std::string webhook_json(std::span<const Notice> notices, const Target& target) {
  std::vector<Labels> labels;
  for (const Notice& notice : notices)
    labels.push_back(labels_of(notice.alert, target.external_labels));
  const bool fires = std::ranges::any_of(notices, &Notice::is_firing);
  const Labels shared = common(labels);
  std::string out = R"({"version":"4","groupKey":"progress-agent","truncatedAlerts":0,"status":")";
  out += fires ? "firing" : "resolved";
  out += R"(","receiver":"progress-agent","groupLabels":)";
  put(out, shared);
  out += ",\"commonLabels\":";
  put(out, shared);
  out += R"(,"commonAnnotations":{},"externalURL":"","alerts":[)";
  for (std::size_t i = 0; i < notices.size(); ++i) {
    if (i > 0) out += ',';
    put_webhook_alert(out, notices[i], labels[i], target);
  }
  return out + "]}";
}

}  // namespace agent::notify
