#include "agent/eta/consult.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace agent::eta {
namespace {

constexpr double kRecently = 0.7;         // the last 30 % of the time
constexpr double kWindow = 30;            // seconds
constexpr double kLeastVariation = 0.15;  // variance / mean^2 of durations; added to what was seen
constexpr double kCountVariation = 1;     // likewise, while no durations are known
constexpr double kTooEarly = 0.005;       // share of a run before which its curve says nothing

// Writes down what `remaining` seconds mean; ignores what is no number.
void say(Reading& r, const Scene& s, Expert e, double remaining) {
  if (!std::isfinite(remaining) || remaining < 0) return;
  r.opinions[e] = std::log(s.now + remaining);
}

// Durations now / then, by the stages: the mean of ln ratio, shrunk toward 0 as if seen once.
double speed_against(const Workload& w, const Past& past) {
  double sum = 0, n = 0;
  for (std::size_t i = 0; i < w.stages().size(); ++i) {
    const StageWork& s = w.stages()[i];
    if (s.timed == 0 || past.stages()[i].seconds <= 0) continue;
    const double files = static_cast<double>(s.timed);
    const double shift = s.log_seconds / files - past.stages()[i].log_seconds;
    sum += files * std::clamp(shift, -3.0, 3.0);
    n += files;
  }
  return std::exp(sum / (n + 2));
}

void ask_counts(Reading& r, const Scene& s) {
  if (s.done <= 0) return;
  const double left = s.files - s.done;
  say(r, s, Expert::kCount, s.now * left / s.done);
  const double recent = s.done - s.pace.ended_by(kRecently * s.now, s.now);
  if (recent > 0) say(r, s, Expert::kRecentCount, left * (1 - kRecently) * s.now / recent);
  const double window = std::min(kWindow, s.now);
  const double lately = s.done - s.pace.ended_by(s.now - window, s.now);
  if (lately > 0) say(r, s, Expert::kWindow, left * window / lately);
}

// By how fast files begin: those waiting at the recent rate of starts, then one more file's
// duration.
void ask_starts(Reading& r, const Scene& s) {
  const double begun = s.files - r.waiting;
  if (begun <= 0 || s.workload.all().timed == 0) return;
  const double recent = begun - s.pace.begun_by(kRecently * s.now, s.now);
  const double mean = r.cold_work.left() > 0 ? r.cold_work.longest_left : 0;
  const double last =
      std::max(mean, s.workload.all().seconds / static_cast<double>(s.workload.all().timed));
  if (r.waiting <= 0) return say(r, s, Expert::kStarts, r.cold_work.longest_left);
  if (recent > 0) say(r, s, Expert::kStarts, r.waiting * (1 - kRecently) * s.now / recent + last);
}

void ask_weights(Reading& r, const Scene& s) {
  if (s.weight_rate > 0) say(r, s, Expert::kWeight, s.weight_left / s.weight_rate);
  if (s.decay_rate > 0) say(r, s, Expert::kDecay, s.decay_left / s.decay_rate);
}

void read_parallelism(Reading& r, const Scene& s) {
  const double busy = s.pace.busy_at(s.now);
  const double from = kRecently * s.now;
  r.mean_parallel = busy / s.now;
  r.parallel = std::max(0.0, (busy - s.pace.busy_by(from, s.now)) / (s.now - from));
  r.usable_parallel = std::max({1.0, r.parallel, r.waiting > 0 ? s.running_count : 0.0});
  const double left = r.waiting + s.running_count;
  if (left > 0) r.last_round = 1 / std::max(1.0, left / r.usable_parallel);
}

// Remaining time by work per time, by list scheduling (Graham 1969: the work left on the
// parallelism seen, plus on average half of the longest file at the end), and by mean parallelism.
struct WorkAnswers {
  double work, schedule, parallel;
};
WorkAnswers ask_work(const Reading& r, const Scene& s, const WorkLeft& w) {
  const double left = std::max(1e-9, w.left()), c = r.usable_parallel;
  const double tail = r.waiting > 0 ? 0.5 * (1 - 1 / c) * w.largest_waiting : 0;
  const double mean = 0.5 * r.mean_parallel + 0.5 * std::max(0.2, r.parallel);
  return {s.now * left / std::max(1e-9, w.past()), std::max(left / c + tail, w.longest_left),
          left / std::max(0.2, mean)};
}

void ask_cold(Reading& r, const Scene& s, bool history) {
  DurationModel model(s.workload, {}, 0, 1);
  model.learn_from(s.running);
  const double scale =
      s.running.empty() ? 1 : s.running_count / static_cast<double>(s.running.size());
  r.cold_work = model.work(s.running, scale, s.unseen);
  r.sigma = model.sigma();
  r.slope = model.slope();
  if (!history) r.work = r.cold_work;
  if (s.workload.all().timed == 0) return;
  const WorkAnswers a = ask_work(r, s, r.cold_work);
  say(r, s, history ? Expert::kColdWork : Expert::kWork, a.work);
  say(r, s, history ? Expert::kColdSchedule : Expert::kSchedule, a.schedule);
  say(r, s, history ? Expert::kColdParallel : Expert::kParallel, a.parallel);
}

// The end of a job: each lane is busy with its running file for as long as that is likely to take,
// then the waiting work is poured over the lanes, the one that is free first getting most (list
// scheduling, Graham 1969, of work so fine that it flows); half of a waiting file sticks out.
// `scale`: running files per one in the sample.
void ask_tail(Reading& r, const Scene& s, const DurationModel& model, const WorkLeft& w,
              double scale) {
  std::vector<double> busy;
  busy.reserve(s.running.size());
  for (const Running& f : s.running) busy.push_back(model.median_left(f));
  std::sort(busy.begin(), busy.end());
  double level = 0;
  if (w.waiting > 0) {
    const double files = static_cast<double>(busy.size()), all = r.usable_parallel / scale;
    double work = w.waiting / scale, lanes = std::max(0.0, all - files);
    std::size_t next = 0;
    if (lanes <= 0 && !busy.empty()) {
      level = busy[next++];
      lanes = 1;
    }
    for (; next < busy.size() && work > (busy[next] - level) * lanes; lanes += 1) {
      work -= (busy[next] - level) * lanes;
      level = busy[next++];
    }
    level += work / lanes + 0.5 * (1 - 1 / std::max(1.0, all)) * w.largest_waiting;
  }
  say(r, s, Expert::kTail, busy.empty() ? level : std::max(level, busy.back()));
}

void ask_typical(Reading& r, const Scene& s) {
  if (s.workload.all().timed == 0) return;
  DurationModel model = DurationModel::typical(s.workload);
  const double scale =
      s.running.empty() ? 1 : s.running_count / static_cast<double>(s.running.size());
  const WorkLeft left = model.work(s.running, scale, s.unseen);
  const WorkAnswers a = ask_work(r, s, left);
  say(r, s, Expert::kTypical, a.schedule);
  say(r, s, Expert::kTypicalWork, a.work);
  ask_tail(r, s, model, left, scale);
}

// The share of the time at which a rising curve reaches `done`.
double time_of(const Curve& curve, double done) {
  const auto above = std::upper_bound(curve.begin(), curve.end(), static_cast<float>(done));
  if (above == curve.end()) return 1;
  if (above == curve.begin()) return 0;
  const double y1 = *above, y0 = *(above - 1);
  const double i = static_cast<double>(above - curve.begin() - 1);
  return (i + (y1 > y0 ? (done - y0) / (y1 - y0) : 0)) / (kCurvePoints - 1);
}

// Progress tables (Ferguson et al., "Jockey", 2012): how far earlier runs were when as much was
// done.
void ask_curves(Reading& r, const Scene& s) {
  std::vector<double> count, work;
  const double busy_share = r.work.past() / std::max(1e-9, r.work.past() + r.work.left());
  const auto look_up = [](const Curve& curve, double done, std::vector<double>& shares) {
    const double share = time_of(curve, done);
    if (share > kTooEarly) shares.push_back(std::log(share));
  };
  for (const FamilyRun& h : s.past->recent()) {
    if (s.done > 0) look_up(h.files_done, s.done / s.files, count);
    if (busy_share > 0) look_up(h.busy, busy_share, work);
  }
  if (!count.empty()) say(r, s, Expert::kPastCount, s.now * (std::exp(-median_of(count)) - 1));
  if (!work.empty()) say(r, s, Expert::kPastWork, s.now * (std::exp(-median_of(work)) - 1));
}

// Durations of the same files now / then: of their sums, as if three mean files had taken as long
// as then; and of their logarithms, likewise.
double known_ratio(const Scene& s) {
  const StageWork& all = s.workload.all();
  const double files = static_cast<double>(all.known_done + all.known_waiting);
  const double some = 3 * (all.past_done + std::max(0.0, all.past_waiting)) / std::max(1.0, files);
  return (all.now_done + some + 1e-9) / (all.past_done + some + 1e-9);
}
double known_speed(const Scene& s) {
  const StageWork& all = s.workload.all();
  return std::exp(all.known_log_ratio / (static_cast<double>(all.known_done) + 3));
}

// The runs' totals in proportion to the work, times the speed seen now.
void ask_totals(Reading& r, const Scene& s) {
  const Past& past = *s.past;
  double work = s.unseen * past.mean_seconds();
  for (std::size_t i = 0; i < s.workload.stages().size(); ++i) {
    const double m = past.stages()[i].seconds;
    work += static_cast<double>(s.workload.stages()[i].seen) * (m >= 0 ? m : past.mean_seconds());
  }
  std::vector<double> totals;
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < past.recent().size(); ++i) {
    const double l = std::log(static_cast<double>(past.recent()[i].seconds) * std::max(1e-9, work) /
                              past.work_of(i));
    totals.push_back(l);
    sum += l;
    squares += l * l;
  }
  const double n = static_cast<double>(totals.size());
  r.past_spread = std::sqrt(std::max(0.0, squares / n - (sum / n) * (sum / n)));
  const double known = static_cast<double>(s.workload.all().known_done);
  const double share = known / (known + 2);
  const double total = std::exp(median_of(totals) + share * std::log(known_speed(s)) +
                                (1 - share) * std::log(r.past_speed));
  say(r, s, Expert::kPastTotal, std::max(total - s.now, 0.03 * total));
}

// With the durations that the same files had before, times their ratio now / then.
void ask_known(Reading& r, const Scene& s, const DurationModel& model) {
  const StageWork& all = s.workload.all();
  r.known_share = static_cast<double>(all.known_waiting + all.known_running + all.known_done) /
                  std::max(1.0, s.files);
  if (r.known_share <= 0.2 || s.done <= 0) return;
  const double rho = known_ratio(s), rho_log = known_speed(s);
  double left = s.unseen * model.overall_mean(), running = 0, other = left;
  for (std::size_t i = 0; i < s.workload.stages().size(); ++i) {
    const StageWork& w = s.workload.stages()[i];
    const double unknown =
        static_cast<double>(std::max<std::int64_t>(0, w.waiting - w.known_waiting)) * model.mean(i);
    left += std::max(0.0, w.past_waiting) * rho + unknown;
    other += std::max(0.0, w.past_waiting) * rho_log + unknown;
  }
  for (const Running& f : s.running) {
    const double expected = f.past >= 0 ? f.past * rho : model.expected(f.stage, f.size);
    running += std::max(0.1 * expected, expected - f.age);
  }
  if (!s.running.empty()) running *= s.running_count / static_cast<double>(s.running.size());
  left += running;
  other += running;
  const double done = all.known_done == 0 ? r.work.past() : all.seconds + r.work.running_done;
  say(r, s, Expert::kKnownWork, s.now * left / std::max(1e-9, done));
  const double mean = 0.5 * r.mean_parallel + 0.5 * std::max(0.2, r.parallel);
  say(r, s, Expert::kKnownParallel, left / std::max(0.2, mean));
  say(r, s, Expert::kKnownTypical, other / std::max(0.2, mean));
}

// ln(session time / share of the run at which the file ended before), over the files that ended.
void ask_replay(Reading& r, const Scene& s) {
  if (!s.workload.replay().known()) return;
  const double total = std::exp(s.workload.replay().mean());
  say(r, s, Expert::kReplay, std::max(total - s.now, 0.005 * s.now));
}

// How far earlier runs were when their stages, each by its share of this session's work, stood as
// now (critical paths of stages: Morton et al., "ParaTimer", 2010). Bisection over the time.
void ask_stages(Reading& r, const Scene& s, const DurationModel& model) {
  const auto& stages = s.workload.stages();
  double done = 0;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (s.past->stages()[i].seconds >= 0)
      done += model.mean(i) * static_cast<double>(stages[i].done);
  }
  if (done <= 0) return;
  double low = 0, high = 1;
  for (int step = 0; step < 12; ++step) {
    const double u = 0.5 * (low + high);
    double then = 0;
    for (std::size_t i = 0; i < stages.size(); ++i) {
      const StagePast& p = s.past->stages()[i];
      if (p.seconds < 0) continue;
      const double share = std::clamp((u - p.begin) / std::max(1e-3, p.end - p.begin), 0.0, 1.0);
      then += model.mean(i) * static_cast<double>(stages[i].seen) * share;
    }
    (then < done ? low : high) = u;
  }
  if (high > kTooEarly) say(r, s, Expert::kStages, s.now * (1 / high - 1));
}

void ask_past(Reading& r, const Scene& s) {
  r.past_speed = speed_against(s.workload, *s.past);
  DurationModel model(s.workload, s.past->stages(), s.past->mean_seconds(), r.past_speed);
  model.learn_from(s.running);
  const double scale =
      s.running.empty() ? 1 : s.running_count / static_cast<double>(s.running.size());
  r.work = model.work(s.running, scale, s.unseen);
  const WorkAnswers a = ask_work(r, s, r.work);
  if (r.work.past() > 0) say(r, s, Expert::kWork, a.work);
  if (r.mean_parallel > 0) {
    say(r, s, Expert::kSchedule, a.schedule);
    say(r, s, Expert::kParallel, a.parallel);
  }
  ask_curves(r, s);
  ask_totals(r, s);
  ask_known(r, s, model);
  ask_replay(r, s);
  ask_stages(r, s, model);
}

// How much is done, and how unequal what is done was.
void read_work(Reading& r, const Scene& s) {
  const StageWork& all = s.workload.all();
  if (all.timed == 0 && s.done > 0) {
    r.scatter = std::sqrt(kCountVariation / s.done);
    r.done_share = s.done / std::max(s.done, s.files);
    return;
  }
  if (all.seconds > 0) {
    const double n = static_cast<double>(all.timed);
    const double one = all.squares / (all.seconds * all.seconds);  // (1 + variation^2) / n
    r.scatter = std::sqrt(std::max(0.0, one - 1 / n) + kLeastVariation / n);
  }
  const double past = r.work.past(), left = r.work.left();
  if (past > 0) r.done_share = past / (past + left);
}

}  // namespace

Reading consult(const Scene& s) {
  Reading r;
  r.waiting = static_cast<double>(s.workload.all().waiting) + s.unseen;
  read_parallelism(r, s);
  ask_counts(r, s);
  ask_weights(r, s);
  const bool history = s.past != nullptr && !s.past->recent().empty();
  ask_cold(r, s, history);
  ask_typical(r, s);
  ask_starts(r, s);
  if (history) ask_past(r, s);
  read_work(r, s);
  return r;
}

}  // namespace agent::eta
