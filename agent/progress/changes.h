// Changes: what one commit tells storage, as bytes. The tracker writes them while it holds its
// lock; storage appends them as they are, and reads them when it folds them into its tables or
// restores. A list of entries behind a head; everything in it is state, never an event: a later
// entry about the same thing replaces an earlier one, but for a session's state, whose parts build
// on the ones before (Session::load). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "agent/clock.h"
#include "agent/progress/archive.h"

namespace agent::progress {

inline constexpr std::uint64_t kChangesFormat = 1;

struct ChangesHead {
  std::uint64_t revision = 0;
  Instant at;                     // when they were gathered
  std::uint64_t next_serial = 0;  // no session has this number yet
};

// What was last foretold of a session, for history; and, once it has ended, what the forecasts of
// each method were worth. Seconds.
struct Foretold {
  Instant at;  // when it was foretold, in the session's time
  EtaMethod method = EtaMethod::kLinear;
  double remaining = 0, low = 0, high = 0;  // the 80 % interval
  double confidence = -1;                   // < 0: not known
  // By method: how many forecasts, and the mean of |foretold - true| / true total.
  std::array<std::uint64_t, kEtaMethodNames.size()> graded{};
  std::array<double, kEtaMethodNames.size()> error{};

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.at, self.method, self.remaining, self.low, self.high, self.confidence, self.graded,
            self.error);
  }
};

// Views into the bytes.
struct SessionChange {
  std::uint64_t serial = 0;
  std::uint64_t epoch = 0;    // of its files: records of another epoch are void
  std::string_view kept;      // what the tracker keeps with it; replaced as a whole
  std::string_view forecast;  // a part of its forecaster, after those before; empty: it has none
  std::string_view told;      // Foretold; empty: nothing yet
  std::string_view state;     // Session::save
  std::string_view files;     // Files::save_changed
};
struct SessionGone {
  std::uint64_t serial = 0;
};
struct ProducerChange {
  std::string_view name;
  std::int64_t last_seq = 0;
};
struct StoppedChange {  // DELETE, or its end by session.start
  std::string_view session;
  bool stopped = true;
};

struct FamilyChange {       // what later runs of the family are told
  std::string_view name;    // empty: of all sessions together
  std::string_view record;  // the tracker's; replaced as a whole
};

enum class ChangeTag : std::uint8_t { kEnd, kSession, kGone, kProducer, kStopped, kFamily };
template <>
inline constexpr std::size_t kValues<ChangeTag> = 6;
template <>
inline constexpr std::size_t kValues<EtaMethod> = kEtaMethodNames.size();

inline void put_head(Packer& packer, const ChangesHead& head) {
  packer.number(kChangesFormat);
  packer(head.revision, head.at, head.next_serial);
}
inline void put(Packer& packer, const SessionGone& gone) { packer(ChangeTag::kGone, gone.serial); }
inline void put(Packer& packer, const ProducerChange& producer) {
  packer(ChangeTag::kProducer);
  packer.text(producer.name);
  packer(producer.last_seq);
}
inline void put(Packer& packer, const StoppedChange& change) {
  packer(ChangeTag::kStopped);
  packer.text(change.session);
  packer(change.stopped);
}

inline void put(Packer& packer, const FamilyChange& change) {
  packer(ChangeTag::kFamily);
  packer.text(change.name);
  packer.text(change.record);
}

// Calls `visitor(entry)` for the head and each entry, in order. False: damaged; what was visited
// until then is not to be used.
template <typename Visitor>
[[nodiscard]] bool read_changes(std::string_view bytes, Visitor&& visitor) {
  Unpacker in(bytes);
  if (in.number() != kChangesFormat) return false;
  ChangesHead head;
  in(head.revision, head.at, head.next_serial);
  if (!in.ok()) return false;
  visitor(head);
  for (ChangeTag tag{}; in.ok() && !in.empty();) {
    in(tag);
    switch (tag) {
      case ChangeTag::kEnd:
        return false;
      case ChangeTag::kSession: {
        SessionChange change;
        in(change.serial, change.epoch);
        change.kept = in.part();
        change.forecast = in.part();
        change.told = in.part();
        change.state = in.part();
        change.files = in.part();
        if (in.ok()) visitor(change);
        break;
      }
      case ChangeTag::kGone: {
        SessionGone gone;
        in(gone.serial);
        if (in.ok()) visitor(gone);
        break;
      }
      case ChangeTag::kProducer: {
        ProducerChange producer;
        producer.name = in.text();
        in(producer.last_seq);
        if (in.ok()) visitor(producer);
        break;
      }
      case ChangeTag::kStopped: {
        StoppedChange change;
        change.session = in.text();
        in(change.stopped);
        if (in.ok()) visitor(change);
        break;
      }
      case ChangeTag::kFamily: {
        FamilyChange change;
        change.name = in.text();
        change.record = in.text();
        if (in.ok()) visitor(change);
        break;
      }
    }
  }
  return in.ok();
}

// Calls `visitor(record)` for each record in SessionChange::files. False: damaged.
template <typename Visitor>
[[nodiscard]] bool read_file_records(std::string_view files, Visitor&& visitor) {
  Unpacker in(files);
  const std::uint64_t count = in.number();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const std::string_view record = in.part();
    if (in.ok()) visitor(record);
  }
  return in.ok() && in.empty();
}

// The same bytes from records.
inline void put_file_records(Packer& packer, const std::vector<std::string_view>& records) {
  packer.number(records.size());
  for (const std::string_view record : records) {
    const std::size_t part = packer.open();
    packer.raw(record);
    packer.close(part);
  }
}

// All that storage has, for the tracker to begin with. Views into memory that the giver holds until
// the tracker has taken them.
struct SavedSession {
  std::uint64_t serial = 0;
  std::string_view kept;
  std::vector<std::string_view> states;     // to load one after the other
  std::vector<std::string_view> forecasts;  // likewise
  std::vector<std::string_view> files;      // records, in the order first seen
};
struct SavedState {
  std::vector<SavedSession> sessions;     // in the order first seen
  std::vector<ProducerChange> producers;  // the longest silent first
  std::vector<std::string_view> stopped;  // the earliest first
  std::vector<FamilyChange> families;     // the longest unchanged first
  std::uint64_t next_serial = 1;
  std::uint64_t revision = 0;
  Instant committed_at;  // when the last of it was gathered; the agent was not listening since
};

}  // namespace agent::progress
