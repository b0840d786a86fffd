// Changes: what one commit tells storage, as bytes. The tracker writes them while it holds its
// lock; storage appends them as they are, and reads them when it folds them into its tables or
// restores. A list of entries behind a head; everything in it is state, never an event: a later
// entry about the same thing replaces an earlier one, but for a session's state, whose parts build
// on the ones before (Session::load). Pure.
#pragma once

#include <cstddef>
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

struct AlertChange {  // where one alert stands; the last word on it counts
  std::uint64_t serial = 0;
  std::int64_t attempt = 0;
  Instant at;               // when it was gathered
  std::string_view record;  // the name of its rule, and alert::Alert
};
struct FamilyChange {       // what later runs of the family are told
  std::string_view name;    // empty: of all sessions together
  std::string_view record;  // the tracker's; replaced as a whole
};

enum class ChangeTag : std::uint8_t { kEnd, kSession, kGone, kProducer, kStopped, kFamily, kAlert };
template <>
inline constexpr std::size_t kValues<ChangeTag> = 7;

inline void put_head(Packer& packer, const ChangesHead& head) {
  packer.number(kChangesFormat);
  packer(head.revision, head.at, head.next_serial);
}

inline void get(Unpacker& in, SessionChange& change) {
  in(change.serial, change.epoch);
  for (std::string_view* part :
       {&change.kept, &change.forecast, &change.told, &change.state, &change.files})
    *part = in.part();
}

inline void put(Packer& packer, const SessionGone& gone) { packer(ChangeTag::kGone, gone.serial); }
inline void get(Unpacker& in, SessionGone& gone) { in(gone.serial); }

inline void put(Packer& packer, const ProducerChange& producer) {
  packer(ChangeTag::kProducer);
  packer.text(producer.name);
  packer(producer.last_seq);
}
inline void get(Unpacker& in, ProducerChange& producer) {
  producer.name = in.text();
  in(producer.last_seq);
}

inline void put(Packer& packer, const StoppedChange& change) {
  packer(ChangeTag::kStopped);
  packer.text(change.session);
  packer(change.stopped);
}
inline void get(Unpacker& in, StoppedChange& change) {
  change.session = in.text();
  in(change.stopped);
}

inline void put(Packer& packer, const FamilyChange& change) {
  packer(ChangeTag::kFamily);
  packer.text(change.name);
  packer.text(change.record);
}
inline void get(Unpacker& in, FamilyChange& change) {
  change.name = in.text();
  change.record = in.text();
}

inline void put(Packer& packer, const AlertChange& change) {
  packer(ChangeTag::kAlert, change.serial, change.attempt, change.at);
  packer.text(change.record);
}
inline void get(Unpacker& in, AlertChange& change) {
  in(change.serial, change.attempt, change.at);
  change.record = in.text();
}

template <typename Change, typename Visitor>
void visit_next(Unpacker& in, Visitor& visitor) {
  Change change;
  get(in, change);
  if (in.ok()) visitor(change);
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
      case ChangeTag::kSession:
        visit_next<SessionChange>(in, visitor);
        break;
      case ChangeTag::kGone:
        visit_next<SessionGone>(in, visitor);
        break;
      case ChangeTag::kProducer:
        visit_next<ProducerChange>(in, visitor);
        break;
      case ChangeTag::kStopped:
        visit_next<StoppedChange>(in, visitor);
        break;
      case ChangeTag::kFamily:
        visit_next<FamilyChange>(in, visitor);
        break;
      case ChangeTag::kAlert:
        visit_next<AlertChange>(in, visitor);
        break;
    }
  }
  return in.ok();
}

// Lists of parts: of file records, SessionChange::files; of what a forecaster is made of. Calls
// `visitor(part)` for each. False: damaged.
template <typename Visitor>
[[nodiscard]] bool read_parts(std::string_view list, Visitor&& visitor) {
  Unpacker in(list);
  const std::uint64_t count = in.number();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const std::string_view part = in.part();
    if (in.ok()) visitor(part);
  }
  return in.ok() && in.empty();
}

inline void put_parts(Packer& packer, const std::vector<std::string_view>& parts) {
  packer.number(parts.size());
  for (const std::string_view each : parts) {
    const std::size_t part = packer.open();
    packer.raw(each);
    packer.close(part);
  }
}

}  // namespace agent::progress
