// Tracker: the one place where threads meet the domain, and the only lock around it. Writers apply events
// in batches; readers get immutable snapshots and hold no lock while they use them. Any thread may call
// any function; in the running agent only the event loop writes.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/clock.h"
#include "agent/progress/event.h"
#include "agent/progress/file_table.h"
#include "agent/progress/sessions.h"
#include "agent/progress/snapshot.h"
#include "agent/result.h"
#include "agent/tracker/producers.h"
#include "agent/tracker/thread_annotations.h"
#include "agent/view.h"

namespace agent::tracker {

// What became of one event.
enum class Applied : std::uint8_t {
  kApplied,
  kDuplicate,  // its seq was applied before: acknowledged, counted, not applied again
  kStale,      // older than what its file already knows: counted, not applied
};

// Counts every batch of events up to and including itself. What is committed (or, without storage,
// applied) may be acknowledged.
using Revision = std::uint64_t;

struct Settings {
  progress::Limits limits;
  progress::Pricing pricing;
  std::size_t max_producers = 10'000;
};

// Totals of the tracker itself, for the agent's own metrics.
struct Totals {
  std::array<std::uint64_t, progress::kEventNames.size()> applied{};  // by Fact alternative
  std::uint64_t duplicates = 0, stale = 0, gaps = 0, sessions_evicted = 0, other_labels = 0;
  std::uint64_t files = 0;  // tracked now
};

class Tracker {
 public:
  explicit Tracker(Settings settings);

  // Holds the lock from construction to destruction: keep it for one read buffer's worth of events.
  class Batch {
   public:
    // Applies one event. A refusal leaves everything as it was (but uses up the event's seq).
    Result<Applied, progress::Rejection> apply(const progress::Event& event);
    // The revision that this batch's events belong to.
    [[nodiscard]] Revision revision() const;

   private:
    friend class Tracker;
    Batch(Tracker& tracker, Now at) ACQUIRE(tracker.mutex_);
    std::unique_lock<std::mutex> lock_;
    Tracker& tracker_;
    Now at_;
  };
  [[nodiscard]] Batch write(Now at);

  // Acknowledged delivery. The producer's last applied seq (0 for a new one); remembers the producer.
  std::int64_t last_seq(std::string_view producer, Now at);
  // Everything up to this revision is durable (with storage: committed; without: applied).
  [[nodiscard]] Revision durable() const;
  [[nodiscard]] bool durable_means_committed() const;

  // Snapshots as of `at`, rebuilt only where something changed or `updateIntervalMs` passed.
  View view(Now at);
  progress::SnapshotPtr session(std::string_view id, Now at);  // null: unknown

  // One page of a session's files, in the order first seen.
  struct FilesPage {
    std::vector<progress::FileSnapshot> files;
    std::optional<std::uint64_t> next;  // cursor of the page after this one
  };
  std::optional<FilesPage> files(std::string_view id, std::optional<progress::FileStatus> status,
                                 std::uint64_t cursor, std::size_t limit);
  std::optional<progress::FileSnapshot> file(std::string_view id, std::string_view file);

  // Mutating calls of the API.
  bool stop(std::string_view id, Now at);                    // DELETE; false: unknown
  std::size_t clean_up(Duration max_silence, Now at);        // POST /v1/sessions/cleanup
  // Every session in `view` has been read completely by a scraper.
  void mark_scraped(const View& view);

  // Ages windows, ends the stale, evicts; once a second.
  void tick(Now at);
  void configure(Settings settings);  // after a reload
  [[nodiscard]] Totals totals() const;
};

}  // namespace agent::tracker
