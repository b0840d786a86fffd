// Sample: made-up jobs for `demo`, as the events that real ones would send. They run one after
// another in a few families: some well, some slowed by rate limits, failing, stalling, or broken
// off and resumed. The same options give the same events. Pure: time is an argument; not
// thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "agent/clock.h"

namespace agent::cli {

struct SampleOptions {
  double speed = 10;         // times real time
  std::size_t sessions = 6;  // at a time
  std::uint64_t seed = 1;
};

// What goes wrong in a job.
enum class Trouble : std::uint8_t { kNone, kRateLimits, kFailures, kStall, kBreakOff };

// A kind of job that is run again and again.
struct Story {
  std::string_view family, stage_names[3], provider, model, team;
  Trouble trouble;
  int files;
  double seconds_per_file;  // on the mean
  int concurrency;
};
std::array<Story, 6> stories();

// Deterministic on every machine, unlike the distributions of <random>.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();        // SplitMix64
  double uniform();            // [0, 1)
  double skewed(double mean);  // positive, mostly below the mean, at times far above
  bool happens(double probability) { return uniform() < probability; }

 private:
  std::uint64_t state_;
};

// One job after another of the same story.
class SampleJob {
 public:
  SampleJob(const Story& story, std::size_t slot, std::uint64_t seed, double speed);

  // The next second of the job's own time: appends the events of it, as NDJSON.
  void tick(std::string& out);

 private:
  struct File {
    int number = 0;
    double bytes = 0;
    double seconds = 0;  // it will take
    double done = 0;     // of them
    int retries = 0;
  };

  void begin(std::string& out);
  void end(std::string& out, std::string_view status, double pause);
  void fill_workers(std::string& out);
  void work(std::string& out);
  void finish(File file, std::string& out);
  void say_progress(const File& file, std::string& out) const;
  bool meet_trouble(std::string& out);
  void say(std::string& out, std::string_view event, std::string_view fields) const;
  [[nodiscard]] std::string name_of(const File& file) const;

  const Story& story_;
  const std::size_t slot_;
  const double speed_;
  Dice dice_;
  int run_ = 0;  // which job of the story this is
  bool running_ = false;
  bool broke_off_ = false;  // this run has broken off already
  bool resume_ = false;     // the next start goes on with this run
  bool stalled_ = false;    // it has stalled already
  double waiting_ = 0;      // seconds of its time until it goes on
  int next_file_ = 0, finished_ = 0;
  int second_ = 0;
  std::vector<File> working_;
  std::deque<File> again_;  // failed files, to be tried once more
};

class Sample {
 public:
  explicit Sample(const SampleOptions& options);

  // Every event due up to `elapsed` since the start that was not returned before, as NDJSON.
  std::string until(Duration elapsed);

 private:
  double speed_;
  std::int64_t seconds_ = 0;  // of the jobs' time that have passed
  std::array<Story, 6> stories_;
  std::vector<SampleJob> jobs_;
};

}  // namespace agent::cli
