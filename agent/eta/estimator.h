// Estimator: the ETA of one session. The tracker tells it what changes (`observe`) and asks for a
// forecast when it wants one; when the session ends, `finish` grades every forecast made and
// returns what the family's later runs need. Pure: time is an argument. Not thread-safe: the
// tracker guards it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/eta/active_clock.h"
#include "agent/eta/blend.h"
#include "agent/eta/choice.h"
#include "agent/eta/consult.h"
#include "agent/eta/decay.h"
#include "agent/eta/evidence.h"
#include "agent/eta/family.h"
#include "agent/eta/grade.h"
#include "agent/eta/input_log.h"
#include "agent/eta/interval.h"
#include "agent/eta/model.h"
#include "agent/eta/pace.h"
#include "agent/eta/past.h"
#include "agent/eta/trail.h"
#include "agent/eta/workload.h"
#include "agent/progress/snapshot.h"

namespace agent::eta {

// What estimators share; immutable while they live.
struct Background {
  std::shared_ptr<const Family> family;   // null: none
  std::shared_ptr<const Model> model;     // null: ml_based is adaptive
  MethodRecord overall;                   // of all sessions so far
  std::size_t remembered_files = 20'000;  // file durations kept for the family; 0: keep no history
};

// Why the last forecast is what it is; for /explain. Seconds are of remaining time.
struct Explanation {
  struct Voice {
    Expert expert = Expert::kCount;
    double remaining = 0;
    double weight = 0;       // of the blend, 0..1
    double past_error = -1;  // mean |ln foretold - ln true| in the family; < 0: no record
  };
  double active_seconds = 0;                // of the session, without pauses and announced waits
  double waiting_seconds = 0;               // announced and still to go, as added
  double expected_waits = 0;                // not announced yet, by those so far
  std::vector<Voice> experts;               // those with an opinion, the heaviest first
  double spread = 0, drift = 0, sigma = 0;  // of the blend, in ln
  double history_share = 0;                 // of the weights
  double history_gate = 1;                  // what the family's record lets history count, 0..1
  double correction = 0;                    // ln, by the learned model, as applied
  Choice choice;
  MethodRecord family_record;
  Calibration calibration;
  std::size_t family_runs = 0;
  double work_done_share = 0, parallelism = 0;
};

enum class Keep : std::uint8_t { kNo, kYes };

class Estimator {
 public:
  Estimator(Instant start, Background background);

  // The family became known, or another one. Whoever says so tells it of every file that waits or
  // runs, with `recall`.
  void belong(std::shared_ptr<const Family> family, std::size_t remembered_files);
  void recall(std::uint64_t id_hash, progress::LabelId stage, progress::FileStatus status);

  // What changes; O(1) each, in the order of the events. Nothing for progress within a file.
  void observe(const progress::FileChange& change);
  // A session that only counts: absolute values.
  void observe_counts(Instant at, std::int64_t completed, std::int64_t failed);
  void observe_pause(Instant at);
  void observe_resume(Instant at);
  void observe_wait(Instant at, Instant until);  // an announced rate limit

  // Stages by LabelId, as hashes of their names (progress::stable_hash); the tail not told yet.
  void name_stages(std::span<const std::uint64_t> more);
  [[nodiscard]] std::size_t named_stages() const { return stage_names_.size(); }

  // O(stages + files in flight in the evidence). Nothing only before the session's first instant.
  // What is kept becomes the past that later forecasts are smoothed by, drift from, and are graded
  // with; when to keep one must be up to the session's own clock. Others leave nothing behind but
  // the width that the range keeps while there is no news.
  std::optional<progress::Forecast> estimate(const Evidence& evidence, Keep keep = Keep::kYes);
  // When the last one was kept; Instant::min(): none was.
  [[nodiscard]] Instant last_kept() const { return last_kept_; }
  [[nodiscard]] Explanation explain() const;

  // `complete`: every file came to its end, so totals and curves are worth keeping.
  struct Finish {
    SelfGrade grade;
    FamilyRun run;
    bool complete = false;
  };
  [[nodiscard]] Finish finish(Instant end, bool complete) const;

  // For storage (stored_estimator.cc). `save` packs what storage does not have yet: a part, to be
  // kept after those before it. It is what was observed since, while that is little; else what
  // became of it. `load` takes the parts in the same order; the first is whole, and
  // so is every one after `forget_saved`, which replaces all before it. What comes back goes on as
  // if it had never stopped, given the same family and model. False: damaged, or written by another
  // version; then this estimator is not to be used. Nothing bounds a part but the session: its
  // stages, and FamilyBounds::files times two files of 18 bytes.
  void save(progress::Packer& into);
  [[nodiscard]] bool load(std::string_view part);
  // Whether a part only says what was observed. Those before one that does not are not needed.
  [[nodiscard]] static bool is_log(std::string_view part);
  void forget_saved();
  // After `load`: whether the family is as it was when the estimator was saved; if not, `recall`.
  [[nodiscard]] bool family_is_as_saved() const { return family_runs_ == runs_of_family(); }

  // The features of the last estimate, to train the model on.
  [[nodiscard]] const Features& features() const { return features_; }
  struct Totals {  // ln seconds: of the last estimate
    double blended = 0, now = 0;
  };
  [[nodiscard]] Totals totals() const { return {blend_.log_total, log_now_}; }

 private:
  void consult_past();
  [[nodiscard]] std::uint32_t runs_of_family() const {
    return background_.family == nullptr ? 0 : background_.family->run_count();
  }
  using EtaMethod = progress::EtaMethod;

  // A predicted end, moved in proportion to elapsed time; ln of total seconds.
  class Announced {
   public:
    double operator()(double now, double log_total);

    template <typename Archive, typename Self>
    static void fields(Archive& archive, Self& self) {
      archive(self.at_, self.log_total_);
    }

   private:
    double at_ = -1, log_total_ = 0;
  };

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self);
  void describe(FamilyRun& run, double total) const;
  void remember(const progress::FileChange& change, double at, double ran);
  [[nodiscard]] std::vector<Running> running(const Evidence& e, double now) const;
  [[nodiscard]] Scene scene(const Evidence& e, std::span<const Running> running, const Pace& pace,
                            double now) const;
  void foretell(const Scene& s, Keep keep);
  void foretell_methods(const Scene& s, Keep keep);
  void expect_waits(const Evidence& e, double now);
  [[nodiscard]] progress::Forecast answer(const Evidence& e, double now);
  void hold_range();
  [[nodiscard]] double deadline_risk(const Evidence& e, double now) const;
  [[nodiscard]] EtaMethod speaker(const Evidence& e) const;

  Background background_;
  ActiveClock clock_;
  Workload workload_;
  Pace pace_;
  Decay decay_;
  Trail trail_;
  std::optional<Past> past_;
  ExpertRecord record_;
  MethodRecord family_record_;
  Calibration calibration_;
  Choice choice_;
  std::vector<std::uint64_t> stage_names_;
  std::vector<FileRecord> files_;
  std::uint64_t largest_hash_ = ~std::uint64_t{0};  // files above are not remembered

  double counted_ = 0;   // of observe_counts
  double last_end_ = 0;  // session time; of any file
  double first_end_ = -1;
  Instant last_kept_ = Instant::min();
  std::uint64_t changes_ = 0;           // observed so far
  std::uint64_t forecast_changes_ = 0;  // when the last forecast was made

  [[nodiscard]] bool logs() const { return saved_ && !is_past_log_; }
  void save_state(progress::Packer& into);
  [[nodiscard]] bool load_state(progress::Unpacker& from);

  // What storage does not have: the log, or more than that.
  InputLog log_;
  bool is_past_log_ = false;

  // What storage has of what only grows.
  bool saved_ = false;             // anything at all
  std::uint32_t family_runs_ = 0;  // of the family, when it was saved
  std::size_t saved_stage_names_ = 0, saved_files_ = 0;

  // The last forecast.
  Reading reading_;
  Blend blend_;
  Features features_{};
  Foretold foretold_{};
  Interval interval_;
  Announced adaptive_, learned_;
  double log_now_ = 0, correction_ = 0, waiting_ = 0, expected_waits_ = 0;
  std::array<double, kMethods> remaining_{};  // seconds; NaN: none
  double low_ = 0, high_ = 0, width_ = 0;     // seconds
  bool only_linear_ = false;
};

}  // namespace agent::eta
