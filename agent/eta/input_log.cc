#include "agent/eta/input_log.h"

#include <cstring>
#include <string_view>

#include "agent/eta/estimator.h"

namespace agent::eta {

using progress::FileChange;
using progress::Packer;
using progress::Unpacker;

namespace {

enum class Input : std::uint8_t { kChange, kCounts, kPause, kResume, kWait };

// All but the id, which estimators know by its hash.
template <typename Archive, typename Change>
void pack(Archive& archive, Change& c) {
  archive(c.from, c.to, c.is_new, c.new_try, c.restored, c.stage_from, c.stage_to, c.at, c.started,
          c.stage_since, c.bytes_from, c.bytes_to, c.units_from, c.units_to, c.progress_from,
          c.progress_to);
}

bool tell_change(Unpacker& from, Estimator& estimator) {
  FileChange change;
  const std::string_view hash = from.bytes(sizeof change.id_hash);
  if (from.ok()) std::memcpy(&change.id_hash, hash.data(), sizeof change.id_hash);
  pack(from, change);
  if (from.ok()) estimator.observe(change);
  return from.ok();
}

bool tell_counts(Unpacker& from, Estimator& estimator) {
  Instant at;
  std::int64_t completed = 0, failed = 0;
  from(at, completed, failed);
  if (from.ok()) estimator.observe_counts(at, completed, failed);
  return from.ok();
}

bool tell_wait(Unpacker& from, Estimator& estimator) {
  Instant at, until;
  from(at, until);
  if (from.ok()) estimator.observe_wait(at, until);
  return from.ok();
}

bool tell_break(Unpacker& from, Estimator& estimator, void (Estimator::*what)(Instant)) {
  Instant at;
  from(at);
  if (from.ok()) (estimator.*what)(at);
  return from.ok();
}

}  // namespace
}  // namespace agent::eta

namespace agent::progress {
template <>
inline constexpr std::size_t kValues<eta::Input> = 5;
}  // namespace agent::progress

namespace agent::eta {

void InputLog::change(const FileChange& c) {
  packer_(Input::kChange);
  packer_.raw({reinterpret_cast<const char*>(&c.id_hash), sizeof c.id_hash});
  pack(packer_, c);
}

void InputLog::counts(Instant at, std::int64_t completed, std::int64_t failed) {
  packer_(Input::kCounts, at, completed, failed);
}
void InputLog::pause(Instant at) { packer_(Input::kPause, at); }
void InputLog::resume(Instant at) { packer_(Input::kResume, at); }
void InputLog::wait(Instant at, Instant until) { packer_(Input::kWait, at, until); }

void InputLog::note_stored() {
  stored_ += packer_.size();
  packer_.clear({});
  packer_.shrink(0);
}

void InputLog::clear() {
  note_stored();
  stored_ = 0;
}

bool InputLog::tell(Unpacker& from, Estimator& estimator) {
  bool ok = from.ok();
  while (ok && !from.empty()) {
    Input input{};
    from(input);
    switch (input) {
      case Input::kChange:
        ok = tell_change(from, estimator);
        break;
      case Input::kCounts:
        ok = tell_counts(from, estimator);
        break;
      case Input::kPause:
        ok = tell_break(from, estimator, &Estimator::observe_pause);
        break;
      case Input::kResume:
        ok = tell_break(from, estimator, &Estimator::observe_resume);
        break;
      case Input::kWait:
        ok = tell_wait(from, estimator);
        break;
    }
  }
  return ok && from.ok();
}

}  // namespace agent::eta
