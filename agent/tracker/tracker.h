// Tracker: the one place where threads meet the domain, and the only lock around it. Writers apply
// events in batches; readers get immutable snapshots and hold no lock while they use them. Any
// thread may call any function; in the running agent only the event loop writes.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/alert/policy.h"
#include "agent/alert/watch.h"
#include "agent/clock.h"
#include "agent/progress/event.h"
#include "agent/progress/files.h"
#include "agent/progress/rules.h"
#include "agent/progress/snapshot.h"
#include "agent/result.h"
#include "agent/tracker/producers.h"
#include "agent/tracker/sessions.h"
#include "agent/tracker/thread_annotations.h"
#include "agent/view.h"

namespace agent::tracker {

// Counts the batches of events, itself included. What is committed (or, without storage, applied)
// may be acknowledged.
using Revision = std::uint64_t;

struct Settings {
  progress::Rules rules;
  alert::Policy alerts;
  std::size_t max_producers = 10'000;
  // Of ml_based; null: the one compiled in. Constant after construction.
  std::shared_ptr<const eta::Model> model = nullptr;
};

// Of the tracker itself, for the agent's own metrics.
struct Totals {
  std::uint64_t duplicates = 0, stale = 0;  // events
  std::uint64_t gaps = 0;                   // sequence numbers that producers gave up
  std::uint64_t sessions_evicted = 0;       // before their linger was over
  std::uint64_t files = 0, producers = 0;   // now
  std::uint64_t sessions = 0, active = 0;   // now: all, and those neither ended nor stale
};

// One page of a session's files, in the order first seen.
struct FilesPage {
  std::vector<progress::FileSnapshot> files;
  std::vector<progress::FileRef> refs;  // of these files; each is its cursor, too
  std::optional<std::uint64_t> next;    // cursor of the page after this one
  std::uint64_t epoch = 0;              // of the references and cursors
};

// What the live feed asks of one session.
struct Watched {
  progress::SnapshotPtr session;         // null: gone, or not to be seen yet
  std::vector<progress::FileRef> files;  // each once; the newest, when there were very many
  std::uint64_t epoch = 0;               // of these references
};

// Why a session's answer is what it is.
struct Explained {
  progress::SnapshotPtr session;
  std::optional<eta::Explanation> eta;  // empty: there is no estimator
};

class Tracker {
 public:
  explicit Tracker(Settings settings);

  // Holds the lock from construction to destruction: keep it for one read buffer's worth of events.
  class SCOPED_CAPABILITY Batch {
   public:
    Batch(Tracker& tracker, Now at) ACQUIRE(tracker.mutex_);
    ~Batch() RELEASE();
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

    // Applies one event. A refusal leaves everything as it was, but uses up the event's seq.
    Result<Applied, progress::Rejection> apply(const progress::Event& event);
    // An event that was refused before it became one: uses up its seq, and is shown with its
    // session when that is known. Empty views: not known.
    void refuse(std::string_view session, std::string_view producer,
                std::optional<std::int64_t> seq, progress::RejectReason reason);
    // What was read of the workload from outside goes to every session that runs.
    void observe_workload(const progress::Resources& read);
    // The revision that this batch's events belong to.
    [[nodiscard]] Revision revision() const { return revision_; }

   private:
    bool take_seq(std::string_view producer, std::int64_t seq);

    Tracker& tracker_;
    Now at_;
    Revision revision_;
  };

  // Acknowledged delivery: the producer's last applied seq, 0 for one not known; remembers it from
  // now on.
  std::int64_t last_seq(std::string_view producer);
  // Everything up to this revision is durable: committed with storage, applied without.
  [[nodiscard]] Revision durable() const;
  [[nodiscard]] bool durable_means_committed() const;
  // Everything up to this revision is in what outputs see: what is durable, or, while storage
  // fails, all that was applied.
  [[nodiscard]] Revision visible() const;

  // Snapshots as of `at`, rebuilt only where something changed or the update interval passed.
  View view(Now at);
  progress::SnapshotPtr session(std::string_view id, Now at);  // null: unknown
  // The same for this very instant, whatever was published: what replay asks.
  progress::SnapshotPtr session_at(std::string_view id, Now at);
  // As of this instant, whatever is committed or published; empty: unknown session.
  std::optional<Explained> explain(std::string_view id, Now at);
  std::optional<FilesPage> files(std::string_view id, std::optional<progress::FileStatus> status,
                                 std::uint64_t cursor,
                                 std::size_t limit);  // empty: unknown session
  std::optional<progress::FileSnapshot> file(std::string_view id, std::string_view file);

  // Mutating calls of the API.
  bool stop(std::string_view id, Now at);              // DELETE; false: unknown
  std::size_t clean_up(Duration max_silence, Now at);  // POST /v1/sessions/cleanup: how many went
  // Every session in `view` was read completely by a scraper.
  void mark_scraped(const View& view);
  // Rises with every change: what a scrape begun now would show.
  [[nodiscard]] std::uint64_t generation() const;

  // Ends what is stale, removes what is over and read, and begins to follow the alerts; once a
  // second. `health`: of what the tracker does not know itself. With many sessions the rest takes
  // long: `look_on` does a few milliseconds of it, until it says false.
  void tick(Now at, alert::AgentHealth health = {});
  bool look_on(Now at);
  void configure(Settings settings, Now at);  // after a reload

  // Alerts (alerted_tracker.cc).
  // Follows those of one session at this instant: what replay does. Null: alerts are off there, or
  // the session is unknown.
  std::shared_ptr<const alert::Standing> look(std::string_view session, Now at);
  // Empty: no active alert has this id.
  std::optional<alert::Alert> dismiss(std::string_view alert);
  // Those that changed their state since the last call, in order.
  std::vector<alert::Alert> take_alert_changes();
  [[nodiscard]] Totals totals() const;
  // A copy, for a scrape.
  [[nodiscard]] EtaErrors eta_errors() const;

  // ---- for the live feed (watched_tracker.cc).

  // From now on the files that events name are noted for `watched`; false: no more.
  void watch_files(bool on);
  // Those first seen after the session with this number, in that order.
  std::vector<progress::SnapshotPtr> sessions_after(std::uint64_t serial, Now at);
  // A session, and the files that events named since the last call.
  Watched watched(std::uint64_t serial, Now at);
  // A file of `watched`; empty: it is gone meanwhile.
  std::optional<progress::FileSnapshot> touched_file(std::uint64_t serial, std::uint64_t epoch,
                                                     progress::FileRef file);

  // ---- for storage (stored_tracker.cc). Call `keep_changes` before the first event.

  // From now on events are durable only once they are committed, and outputs see what is committed.
  // `wake` is called, without the lock, when something waits for a checkpoint after one was found
  // to be empty; it must not block. `at` makes sure that this run's numbers (of revisions and
  // sessions) are above those of an earlier one whose storage cannot be read yet.
  void keep_changes(std::function<void()> wake, Now at);
  // Takes over what storage had; sessions that are tracked already go before it. False: damaged;
  // the tracker is as before. What is not needed at once is read later, as if it had been: whoever
  // asks for it waits for it, and `restore_more` goes on with it for about half a millisecond.
  [[nodiscard]] bool restore(const std::shared_ptr<const progress::SavedState>& state, Now at);
  progress::Restoring restore_more();
  // Packs (progress/changes.h) all that changed since the last checkpoint. Empty: nothing did, and
  // `wake` will tell. The one before must have been committed.
  [[nodiscard]] std::optional<Revision> checkpoint(progress::Packer& into, Now at);
  // The last checkpoint is committed: its events are durable, and outputs may see it.
  void committed();
  // While storage fails, outputs run ahead of what is committed.
  void storage_fails(bool failing);
  // Storage was begun anew: everything counts as changed. No checkpoint may be under way.
  void forget_saved();

 private:
  [[nodiscard]] progress::SnapshotPtr shown(Tracked& tracked, Now at) REQUIRES(mutex_);
  [[nodiscard]] bool waiting() const REQUIRES(mutex_);
  void look_at_itself(Now at, alert::AgentHealth health) REQUIRES(mutex_);
  [[nodiscard]] bool take_wake() REQUIRES(mutex_);

  mutable Mutex mutex_;
  Sessions sessions_ GUARDED_BY(mutex_);
  Producers producers_ GUARDED_BY(mutex_);
  Revision applied_ GUARDED_BY(mutex_) = 0;
  Totals totals_ GUARDED_BY(mutex_);
  alert::Policy policy_ GUARDED_BY(mutex_);
  alert::Watch own_watch_ GUARDED_BY(mutex_);  // of the agent itself
  std::shared_ptr<const alert::Standing> own_standing_ GUARDED_BY(mutex_);
  std::vector<alert::Alert> own_changes_ GUARDED_BY(mutex_);

  // Storage.
  bool stores_ GUARDED_BY(mutex_) = false, failing_ GUARDED_BY(mutex_) = false;
  bool wake_wanted_ GUARDED_BY(mutex_) = false;
  Revision gathered_ GUARDED_BY(mutex_) = 0, committed_ GUARDED_BY(mutex_) = 0;
  std::uint64_t gathered_generation_ GUARDED_BY(mutex_) = 0;
  std::uint64_t committed_generation_ GUARDED_BY(mutex_) = 0;
  std::vector<std::uint64_t> gathered_sessions_ GUARDED_BY(mutex_);
  std::function<void()> wake_;  // constant after keep_changes
};

}  // namespace agent::tracker
