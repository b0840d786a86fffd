// Writer: the thread that commits. Whenever it is free and something waits, at most once per commit
// interval, it gathers what changed, commits it, and says so; in between it folds and forgets. When
// storage fails it tells so at once, goes on trying, and tells when it works again: nothing is
// dropped, because what waits is state that is gathered when it can be written. Its queue is
// therefore at most one gathering long.
//
// `open` before the first event, then `start`; `stop` gathers and commits for a last time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "agent/clock.h"
#include "agent/history/store.h"
#include "agent/progress/archive.h"
#include "agent/progress/changes.h"
#include "agent/progress/saved.h"

namespace agent::history {

// Whose state is stored: the tracker, as the agent wires it. Called from the writer's thread, but
// for `restore` within Writer::open. None may block for long.
class Source {
 public:
  virtual ~Source() = default;
  // Takes over what storage had; false: it makes no sense.
  virtual bool restore(std::shared_ptr<const progress::SavedState> state, Now at) = 0;
  // Goes on with what of it could wait, for less than a millisecond.
  virtual progress::Restoring restore_more() = 0;
  // Packs all that changed since the last time; its revision. Empty: nothing did, and the source
  // calls Writer::wake when something does.
  virtual std::optional<std::uint64_t> gather(progress::Packer& into, Now at) = 0;
  // What was gathered last is on disk.
  virtual void committed() = 0;
  virtual void storage_fails(bool failing) = 0;
  // The database was begun anew: everything is to be gathered again.
  virtual void forget_saved() = 0;
};

struct WriterOptions {
  StoreOptions store;
  Duration fold_after = std::chrono::seconds(10);  // at the latest, while commits go on
};

// What may change while it runs.
struct Pace {
  Duration commit_interval = std::chrono::milliseconds(4);
  Duration retention = std::chrono::days(30);  // of history, by the last event
};

// For the agent's own metrics and /v1/status.
struct WriterState {
  bool failing = false;
  std::string last_error;       // of the failure under way
  std::uint64_t errors = 0;     // failed attempts
  std::uint64_t commits = 0;    // that succeeded
  bool waiting = false;         // something gathered is not on disk yet
  std::uint64_t set_aside = 0;  // files that could not be used
};

class Writer {
 public:
  Writer(WriterOptions options, Pace pace, Source& source, const Clock& clock)
      : options_(std::move(options)), source_(source), clock_(clock), pace_(pace) {}
  ~Writer() { stop(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Opens the database and restores from it. When that fails, storage is failing from the start,
  // and the thread goes on trying.
  void open();
  void start();
  // Commits what there is, for at most `patience`, and ends the thread.
  void stop(Duration patience = std::chrono::seconds(2));
  void wake();
  void configure(Pace pace);
  [[nodiscard]] WriterState state() const;

 private:
  void run();
  bool open_store();
  void restore_more();
  bool turn();
  void commit();
  void tidy();
  void tidy_after(std::size_t bytes);
  [[nodiscard]] bool should_tidy() const;
  [[nodiscard]] bool should_retain() const;
  void failed(const StoreFault& fault);
  void succeeded();
  void begin_anew(const std::string& why);
  void sleep(Duration time, bool wakes);
  [[nodiscard]] SteadyInstant steady() const { return clock_.now().steady; }

  const WriterOptions options_;
  Source& source_;
  const Clock& clock_;
  std::thread thread_;

  // The thread's own, after `open`.
  Pace pace_;
  std::unique_ptr<Store> store_;
  progress::Packer packer_;
  std::optional<std::uint64_t> gathered_;  // not on disk yet
  bool restored_ = false;
  bool restoring_ = false;  // some of what was restored waits
  Duration pause_{};        // before the next try; zero: all is well
  SteadyInstant last_begun_{}, last_committed_{}, last_folded_{}, last_retained_{};
  bool must_retain_ = true;

  mutable std::mutex mutex_;
  std::condition_variable woken_;
  bool awake_ = false;            // guarded by mutex_
  bool stopping_ = false;         // guarded by mutex_
  SteadyInstant deadline_{};      // guarded by mutex_; of stopping
  WriterState state_;             // guarded by mutex_
  std::optional<Pace> new_pace_;  // guarded by mutex_
};

}  // namespace agent::history
