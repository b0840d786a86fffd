// eta-train: makes config/eta_model.txt from recorded sessions. See config/eta-train/README.md.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "config/eta-train/replay.h"
#include "config/eta-train/training.h"

namespace {

using agent::seconds;

// Keeps what was foretold at 1 %, 2 %, ... of each session's time.
class Collector final : public eta_train::Listener {
 public:
  Collector(const std::map<std::string, std::string>& groups, std::vector<eta_train::Trace>& into)
      : groups_(groups), into_(into) {}

  void begin(bool warm) { warm_ = warm; }
  void on_forecast(const agent::progress::Session&, double t, const agent::progress::Forecast* f,
                   const agent::eta::Estimator& e) override {
    if (f == nullptr) return;
    eta_train::Moment m;
    m.features = e.features();
    m.now = e.totals().now;
    m.blended = e.totals().blended;
    for (std::size_t i = 0; i < m.methods.size(); ++i) {
      m.methods[i] = f->methods[i] ? std::log(t + seconds(*f->methods[i])) : std::nan("");
    }
    times_.push_back(t);
    moments_.push_back(m);
  }

  void on_end(const agent::progress::Session& session, double total,
              const agent::eta::Estimator::Finish& finish) override {
    if (finish.complete && !moments_.empty()) {
      eta_train::Trace trace;
      trace.session = session.id();
      const std::string& family = session.identity()->family;
      trace.fold = family.empty() ? session.id() : family;
      const auto group = groups_.find(session.id());
      trace.group = group == groups_.end() ? trace.fold : group->second;
      trace.total = total;
      trace.warm = warm_;
      std::size_t i = 0;
      for (std::size_t m = 0; m < eta_train::kMoments; ++m) {
        const double t = total * static_cast<double>(m + 1) / (eta_train::kMoments + 1);
        while (i + 1 < times_.size() && times_[i + 1] <= t + 1e-6) ++i;
        trace.moments[m] = moments_[i];
      }
      into_.push_back(std::move(trace));
    }
    times_.clear();
    moments_.clear();
  }

 private:
  const std::map<std::string, std::string>& groups_;
  std::vector<eta_train::Trace>& into_;
  std::vector<double> times_;
  std::vector<eta_train::Moment> moments_;
  bool warm_ = false;
};

constexpr const char* kUsage =
    "usage: eta-train --out=MODEL [--groups=FILE] EVENTS.ndjson...\n"
    "Trains the ETA model on recorded sessions (events as `progress-agent replay` reads them, "
    "sessions one\n"
    "after another, those of a family in order), once with the family's history and once without.\n"
    "  --out=MODEL    the table of trees, to ship as config/eta_model.txt or to load\n"
    "  --groups=FILE  lines \"SESSION<TAB>GROUP\": groups weigh the same (default: families)\n";

bool read_groups(const std::string& path, std::map<std::string, std::string>& groups) {
  std::ifstream in(path);
  std::string line;
  while (std::getline(in, line)) {
    const auto tab = line.find('\t');
    if (tab == std::string::npos) return false;
    groups[line.substr(0, tab)] = line.substr(tab + 1);
  }
  return in.eof();
}

void print(const eta_train::Trained& t) {
  const eta_train::Worth& w = t.worth;
  std::printf(
      "on families not seen: error %.4f (adaptive %.4f, linear %.4f, exponential %.4f), late "
      "%.4f,\n"
      "log-ratio %.4f, jump %.4f, coverage %.3f, interval score %.3f\n",
      w.error, t.validation[2], t.validation[0], t.validation[1], w.late, w.log_ratio, w.jump,
      w.coverage, w.interval_score);
  std::printf("%-20s %-5s %8s %12s %9s %9s\n", "group", "", "linear", "exponential", "adaptive",
              "ml_based");
  for (const eta_train::GroupWorth& g : t.groups) {
    std::printf("%-20s %-5s %8.3f %12.3f %9.3f %9.3f\n", g.group.c_str(), g.warm ? "warm" : "cold",
                g.error[0], g.error[1], g.error[2], g.error[3]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string out;
  std::map<std::string, std::string> groups;
  std::vector<std::string> files;
  for (const std::string& arg : std::vector<std::string>(argv + 1, argv + argc)) {
    if (arg.starts_with("--out=")) {
      out = arg.substr(6);
    } else if (arg.starts_with("--groups=")) {
      if (!read_groups(arg.substr(9), groups)) {
        std::cerr << "eta-train: reading " << arg.substr(9)
                  << ": lines must be SESSION<TAB>GROUP\n";
        return 2;
      }
    } else if (arg.starts_with("--")) {
      std::cerr << kUsage;
      return arg == "--help" ? 0 : 2;
    } else {
      files.push_back(arg);
    }
  }
  if (out.empty() || files.empty()) {
    std::cerr << kUsage;
    return 2;
  }
  std::vector<eta_train::Trace> traces;
  Collector collector(groups, traces);
  for (const bool warm : {true, false}) {
    collector.begin(warm);
    for (const std::string& file : files) {
      if (auto done = eta_train::replay(file, {nullptr, warm}, collector); !done) {
        std::cerr << "eta-train: " << done.error().message << "\n";
        return 1;
      }
    }
  }
  std::printf("%zu sessions, with and without history\n", traces.size());
  const eta_train::Trained trained = eta_train::train(traces, eta_train::Recipe::standard());
  print(trained);
  std::ofstream(out) << agent::eta::Model::format(trained.forests, trained.validation);
  return 0;
}
