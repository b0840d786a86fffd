// How fast files complete: the count over a sliding window, its peak, and its history. O(1) per
// completion, amortised. Pure; not thread-safe. Times are the session's own (`ts` of its events).
#pragma once

#include <boost/circular_buffer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "agent/clock.h"
#include "agent/progress/archive.h"
#include "agent/progress/snapshot.h"

namespace agent::progress {

// Amounts in (now - length, now]. Exact up to kExact distinct instants a window; beyond that
// instants closer than length / kExact fall together.
class Window {
 public:
  explicit Window(Duration length) : length_(length) {}

  void add(Instant at, double amount);
  void advance(Instant now);  // forgets what has left the window; never goes back
  void resize(Duration length) { length_ = length; }
  [[nodiscard]] double sum() const { return sum_; }
  [[nodiscard]] double sum(Instant now) const;  // as `advance(now)` would leave it
  [[nodiscard]] Duration length() const { return length_; }

  // For storage: the entries from the earliest one touched since they were last saved, and how they
  // come back.
  void save(Packer& packer);
  void load(Unpacker& unpacker);
  void forget_saved() { touched_ = Instant::min(); }

 private:
  static constexpr std::size_t kExact = 1'024;
  struct Entry {
    Instant at;
    double amount;
  };
  void make_room();
  void thin();

  Duration length_;
  Instant edge_ = Instant::min();          // nothing at or before it counts any more
  Duration grain_{};                       // > 0: closer instants fall together
  boost::circular_buffer<Entry> entries_;  // by time
  double sum_ = 0;
  Instant touched_ = Instant::min();  // entries before it are as storage has them
};

// At most kPoints points, evenly spaced: when they are too many, every second one goes and the
// spacing doubles.
class ThroughputHistory {
 public:
  static constexpr std::size_t kPoints = 240;
  explicit ThroughputHistory(Duration spacing) : spacing_(spacing) {}

  [[nodiscard]] bool due(Instant now) const { return now >= next_; }
  [[nodiscard]] Instant next() const { return next_; }
  void begin(Instant start) { next_ = start + spacing_; }
  void add(ThroughputPoint point);
  // The points so far; shared until the next one comes.
  [[nodiscard]] std::shared_ptr<const std::vector<ThroughputPoint>> points() const;

  // For storage: the points added since they were last saved, and how they come back.
  void save(Packer& packer);
  void load(Unpacker& unpacker);
  void forget_saved() { saved_ = 0; }

 private:
  Duration spacing_;
  Instant next_ = Instant::max();
  std::vector<ThroughputPoint> points_;
  mutable std::shared_ptr<const std::vector<ThroughputPoint>> shared_;
  std::size_t saved_ = 0;  // points that storage has
};

// Completed files per minute: over the window, at its peak, and as a history.
class Throughput {
 public:
  Throughput(Duration window, Duration spacing) : window_(window), history_(spacing) {}

  void begin(Instant start) { history_.begin(start); }
  void resize(Duration window);
  // An event came: moves to `now`, at which the session has been active for `active`; call it
  // before `complete`.
  void advance(Instant now, Duration active);
  void complete(Instant at, double files);

  // As of `now`, which may be later than what was moved to: looking changes no later answer.
  // Completed in the window, per minute of it, or of the active time while that is shorter; empty
  // while no time has passed.
  [[nodiscard]] std::optional<double> current(Instant now, Duration active) const;
  // The largest `current` over a full window so far; empty while no window has been full.
  [[nodiscard]] std::optional<double> peak(Instant now, Duration active) const;
  // Adds the points that are due.
  void draw_history(Instant now, Duration active);
  [[nodiscard]] const ThroughputHistory& history() const { return history_; }

  // For storage.
  void save(Packer& packer);
  void load(Unpacker& unpacker);
  void forget_saved();

 private:
  Window window_;
  ThroughputHistory history_;
  bool full_ = false;                  // the session has been active for at least one window
  Instant moved_to_ = Instant::min();  // the latest instant looked at
  std::optional<double> peak_;         // files per minute
};

}  // namespace agent::progress
