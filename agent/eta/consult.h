// Asks every expert, and reads what else the blend and the learned model want to know. Pure.
#pragma once

#include <span>

#include "agent/eta/duration_model.h"
#include "agent/eta/evidence.h"
#include "agent/eta/experts.h"
#include "agent/eta/pace.h"
#include "agent/eta/past.h"
#include "agent/eta/workload.h"

namespace agent::eta {

// A session at one instant, in session time (active seconds since its start).
struct Scene {
  const Workload& workload;
  const Pace& pace;
  const Past* past = nullptr;  // null: no history
  double now = 0;
  double files = 0;                         // that make work: all but skipped, cancelled, restored
  double done = 0;                          // of them, completed or failed
  double unseen = 0;                        // announced only as a number
  double last_end = 0;                      // when the last of them ended; 0: none has
  double first_end = 0;                     // likewise the first; `now` when none has
  double weight_left = 0, weight_rate = 0;  // of the linear method, and per second
  double decay_left = 0, decay_rate = 0;    // of the exponential method
  std::span<const Running> running{};       // a sample
  double running_count = 0;
};

// What was read on the way; ratios without unit.
struct Reading {
  Opinions opinions;
  WorkLeft work, cold_work;    // by history where there is some, and without
  double parallel = 0;         // mean files in flight over the last 30 % of the time
  double mean_parallel = 0;    // since the start
  double usable_parallel = 1;  // what the work left is scheduled on
  double sigma = 0.6, slope = 0;
  double known_share = 0;  // of the waiting files, those that earlier runs know
  double past_speed = 1;   // durations now / then
  double past_spread = 0;  // standard deviation of ln of what the runs foretell
  double done_share = 0;   // of the work; of the files, while no durations are known
  double waiting = 0;      // files
  // 1 when all that is left can run at once, 1 / n when it takes n rounds; 0 when nothing is left.
  double last_round = 0;
  double scatter =
      1;  // sqrt(sum of durations^2) / sum of durations: 1, one file is all; 0, many alike
};

[[nodiscard]] Reading consult(const Scene& scene);

}  // namespace agent::eta
