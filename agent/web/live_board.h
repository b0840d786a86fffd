// LiveBoard: what the live feed has to say (the contract, section 6): looks at the sessions, notes
// what changed, and gives each reader the messages due to it, newest first made and shared by all.
// Costs nothing while it is closed. No sockets; time is an argument. Event loop only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/clock.h"
#include "agent/progress/snapshot.h"
#include "agent/tracker/tracker.h"
#include "agent/web/frame.h"
#include "agent/web/ledger.h"

namespace agent::web {

// How far one client was told.
struct LiveReader {
  std::vector<std::string> only;  // sessions it asked for; empty: all
  Ledger::Place sessions = 0, files = 0;
  std::uint64_t dropped = 0;  // messages it was not sent, because newer ones made them void
};

class LiveBoard {
 public:
  // How often `look` is to be called: the shortest update interval of a session.
  static constexpr Duration kRound = std::chrono::milliseconds(100);

  explicit LiveBoard(tracker::Tracker& tracker) : tracker_(tracker) {}

  void open(Now now);  // somebody reads from now on
  void close();        // nobody does
  // Notes what changed, of each session at most once in its update interval.
  void look(Now now);

  // The first message; the reader is due what changes from now on.
  Frame snapshot(LiveReader& reader, Now now);
  // Appends what is due to the reader: what sessions have to say before what files have; files only
  // while `file_bytes`, from which they are taken, is positive. Stops after some messages: nothing
  // was due when none is appended.
  void take(LiveReader& reader, std::vector<Frame>& into, std::ptrdiff_t& file_bytes);
  // It leaves: what is still due to it counts as dropped.
  void give_up(LiveReader& reader);
  // Every reader has come to these places.
  void forget_before(Ledger::Place sessions, Ledger::Place files);

 private:
  // A session as readers were, or are to be, told of it.
  struct Followed {
    progress::SnapshotPtr last;
    SteadyInstant due{};  // not before
    bool is_gone = false;
  };
  using FollowedEntry = std::pair<const std::uint64_t, Followed>;

  void discover(Now now);
  void look_at(FollowedEntry& entry, Now now);
  bool mark_changes(std::uint64_t serial, const progress::SessionSnapshot& before,
                    const progress::SessionSnapshot& after);
  bool mark_alerts(std::uint64_t serial, const progress::SessionSnapshot& before,
                   const progress::SessionSnapshot& after);
  void mark_gone(FollowedEntry& entry);
  bool take_one(Ledger& ledger, LiveReader& reader, Ledger::Place& place, std::vector<Frame>& into);
  [[nodiscard]] bool wants(const LiveReader& reader, const Topic& topic) const;
  [[nodiscard]] Frame session_message(const Topic& topic) const;
  [[nodiscard]] Frame file_message(const Topic& topic) const;

  tracker::Tracker& tracker_;
  std::map<std::uint64_t, Followed> followed_;                // by serial
  std::deque<std::pair<Ledger::Place, std::uint64_t>> gone_;  // to be forgotten once all were told
  std::uint64_t discovered_ = 0;                              // the last serial seen
  Ledger sessions_{65'536, true}, files_{32'768, false};
  // The whole snapshot, for others who come in the same round.
  Frame whole_;
};

}  // namespace agent::web
