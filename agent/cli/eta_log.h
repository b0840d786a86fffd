// EtaLog: what was predicted over the whole life of each replayed session, one JSON line per
// prediction (contract, section 7). Lines come at fixed times since a session's start, each about
// 0.5 % after the one before, and are made before anything that happens later is applied. Used by
// Player; not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "agent/clock.h"
#include "agent/progress/snapshot.h"

namespace agent::cli {

class EtaLog {
 public:
  // The answer for a session at one instant; null: unknown.
  using Ask = std::function<progress::SnapshotPtr(const std::string& session, Now at)>;
  using Write = std::function<void(std::string_view line)>;  // with its line break

  EtaLog(Ask ask, Write write) : ask_(std::move(ask)), write_(std::move(write)) {}

  // False: there is nowhere to write to, and nobody asks it to.
  [[nodiscard]] bool writes() const { return static_cast<bool>(write_); }

  // Before an event of `session` with time `ts` is applied at `at`: writes what was due until then.
  void before(const std::string& session, Instant ts, Now at);
  // After an event of `session` was applied at `at`. `may_restart`: it may have begun an attempt.
  void after(const std::string& session, Instant ts, Now at, bool may_restart, bool ends);
  // The input is over: writes what is due up to and including `at`.
  void finish(Now at);

  // The time of the line after one at `t` since the start: max(1.005 t, t + 0.01 s), in whole
  // microseconds.
  static Duration after_line_at(Duration t);

 private:
  // A session between two of its events. Its own time runs on with the steady one.
  struct Voice {
    Now arrived;       // of its last event
    Instant own_time;  // the session's time at that moment
    Instant start;
    Duration due{};  // of the next line, since the start
    std::int64_t attempt = 0;
    bool over = false;  // ended: nothing more to predict

    [[nodiscard]] SteadyInstant due_at() const {
      return arrived.steady + ((start + due) - own_time);
    }
  };

  void speak_until(const std::string& session, Voice& voice, SteadyInstant end);
  void speak_all_until(SteadyInstant end);

  Ask ask_;
  Write write_;
  std::map<std::string, Voice, std::less<>> voices_;
  SteadyInstant earliest_ = SteadyInstant::max();  // no line is due before
};

// One line: contract, section 7. Pure.
std::string eta_line(const progress::SessionSnapshot& session, Duration since_start);

}  // namespace agent::cli
