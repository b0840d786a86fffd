// Forecaster: joins a session to its ETA: tells the estimator what the session's events changed,
// and asks it with the session's tallies as evidence. One per session; a new attempt begins a new
// estimator. Not thread-safe: the tracker guards it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/eta/estimator.h"
#include "agent/eta/history.h"
#include "agent/progress/session.h"

namespace agent::tracker {

class Forecaster final : public progress::FileObserver {
 public:
  // `history` and `model` may be null; `session` and `history` outlive the forecaster.
  Forecaster(const progress::Session& session, const eta::History* history,
             std::shared_ptr<const eta::Model> model)
      : session_(&session), history_(history), model_(std::move(model)) {}

  void on_file(const progress::FileChange& change) override;
  // Before every event: keeps the forecasts that were due until its time `ts`. When that is depends
  // on the session's own clock alone, so what is foretold does not depend on who reads it.
  void before(Instant ts) {
    if (ts >= due_) keep_until(ts);
  }
  // After every event that the session applied, but for those about files.
  void after(const progress::Event& event, Instant ts);

  // As of the session's time `now`; only what was due is kept. Empty before its first instant, and
  // once it has ended.
  std::optional<progress::Forecast> estimate(Instant now);
  // The first forecast kept when a tenth of an attempt's work was done that promised something.
  struct Early {
    std::int64_t attempt;
    Duration total;     // since the start
    Instant low, high;  // the end, by the interval

    template <typename Archive, typename Self>
    static void fields(Archive& archive, Self& self) {
      archive(self.attempt, self.total, self.low, self.high);
    }
  };
  [[nodiscard]] std::optional<Early>& early() { return early_; }
  [[nodiscard]] std::optional<eta::Explanation> explain() const;

  // Once per attempt, when it has ended: what its forecasts were worth, and what its family
  // remembers.
  std::optional<eta::Estimator::Finish> finish(Instant end, progress::EndStatus status);

  // The session is over, without an end that can be graded.
  void leave() {
    estimator_.reset();
    parts_.clear();
    due_ = Instant::max();
  }

  // For storage: as Estimator's, called with every save of the session; a part is empty while there
  // is no estimator. `load` takes all parts, once the session and its files are back.
  void save(progress::Packer& into);
  [[nodiscard]] bool load(std::span<const std::string_view> parts);
  void forget_saved();
  // As `load`, but when first needed: until then the parts take the least memory, and a restart the
  // least time. What is damaged then is done without. `revive` comes before every event.
  void load_later(std::span<const std::string_view> parts);
  void revive() {
    if (!parts_.empty()) load_parts();
  }

  [[nodiscard]] const eta::Estimator* estimator() const {
    return estimator_ ? &*estimator_ : nullptr;
  }

 private:
  void begin();
  void load_parts();
  [[nodiscard]] Instant due_after(Instant kept) const;
  void keep_until(Instant now);
  void keep(Instant at);
  void follow_family();
  void join_family();
  void adopt_restored();
  void name_stages();
  void sample_running();
  [[nodiscard]] eta::Evidence evidence(Instant now);

  const progress::Session* session_;
  const eta::History* history_;
  std::shared_ptr<const eta::Model> model_;
  std::optional<eta::Estimator> estimator_;
  Instant due_ = Instant::max();  // from when on the next forecast is to be kept
  std::optional<Early> early_;
  std::int64_t attempt_ = 0;
  std::string family_;
  std::vector<eta::RunningFile> running_;  // kept for its memory
  std::vector<std::string> parts_;         // not loaded yet
};

}  // namespace agent::tracker
