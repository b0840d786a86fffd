// Courier: tells one target of alerts, on a thread of its own, so that a target that is slow or
// silent holds up nobody. The event loop shows it what fires; it finds out itself what is to be
// said. Its queue is the outbox, which is bounded; what is shown while it is busy replaces what was
// shown before.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "agent/alert/alert.h"
#include "agent/clock.h"
#include "agent/notify/http_client.h"
#include "agent/notify/outbox.h"
#include "agent/notify/target.h"

namespace agent::notify {

using Firing = std::shared_ptr<const std::vector<alert::Alert>>;

// How it went so far.
struct Delivery {
  std::uint64_t succeeded = 0, failed = 0;  // calls
  std::uint64_t dropped = 0;                // alerts that found no place
  std::optional<Instant> last_success, last_error_at;
  std::string last_error;
  bool is_failing = false;  // the last call failed
};

class Courier {
 public:
  // `clock` outlives it.
  Courier(Target target, const Clock& clock);
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  void start();
  // What fires now. Event loop.
  void tell(Firing firing);
  // Gives what waits that much time to be delivered, then ends.
  void stop(Duration grace);

  [[nodiscard]] const Target& target() const { return target_; }
  [[nodiscard]] Delivery delivery() const;  // any thread

 private:
  void run();
  void deliver();
  [[nodiscard]] Result<void> send(const std::vector<Notice>& notices, Now now);
  void record(const Result<void>& sent, Now now);

  const Target target_;
  const Clock& clock_;
  HttpClient client_;

  // Of its thread.
  Outbox outbox_;
  std::minstd_rand random_;

  mutable std::mutex mutex_;
  std::condition_variable wake_, ended_;
  Firing shown_;          // guarded by mutex_; null: taken
  bool stops_ = false;    // guarded by mutex_
  bool is_over_ = false;  // guarded by mutex_
  Delivery delivery_;     // guarded by mutex_

  std::thread thread_;
};

}  // namespace agent::notify
