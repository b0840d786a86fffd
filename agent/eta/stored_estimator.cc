// What storage keeps of an estimator, and how it comes back: see estimator.h.
//
// FORMAT: the version; what the part is; XXH3 of all that, so that damage is seen whatever it hits.
// A part is either what was observed since the one before, or the state: what changes all the time,
// and what was added to what only grows since the last such part; a whole one builds on nothing,
// and is deflated when it is large: after a restart of many sessions most wait long until they are
// needed.
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "agent/eta/deflate.h"
#include "agent/eta/estimator.h"
#include "agent/progress/archive.h"
#include "agent/progress/text.h"

namespace agent::eta {
namespace {

using progress::Packer;
using progress::Unpacker;

constexpr std::uint64_t kVersion = 5;
constexpr std::size_t kSumBytes = sizeof(std::uint64_t);
enum class PartKind : std::uint64_t { kLog, kState, kWhole };
constexpr std::size_t kWorthDeflating = 1024;  // bytes
constexpr std::size_t kMostFiles = std::size_t{1} << 26U;

// The elements from `saved` on.
template <typename T>
void save_grown(Packer& packer, const std::vector<T>& list, std::size_t& saved) {
  packer.number(saved);
  packer.number(list.size() - saved);
  for (std::size_t i = saved; i < list.size(); ++i) packer(list[i]);
  saved = list.size();
}

template <typename T>
void load_grown(Unpacker& unpacker, std::vector<T>& list) {
  const std::uint64_t first = unpacker.number(), more = unpacker.number();
  if (first > list.size() || more > kMostFiles || more > unpacker.rest().size())
    return unpacker.fail();
  list.resize(first);
  for (std::uint64_t i = 0; i < more && unpacker.ok(); ++i) unpacker(list.emplace_back());
}

// Its size, 0 when it is as it was, and the bytes.
void put_deflated(Packer& packer, std::string_view plain) {
  const auto deflated = plain.size() < kWorthDeflating ? std::nullopt : deflate(plain);
  packer.number(deflated ? plain.size() : 0);
  packer.raw(deflated ? std::string_view(*deflated) : plain);
}

std::optional<std::string> take_deflated(Unpacker& unpacker) {
  const std::uint64_t size = unpacker.number();
  return size == 0 ? std::string(unpacker.rest()) : inflate(unpacker.rest(), size);
}

}  // namespace

template <typename Archive, typename Self>
void Estimator::fields(Archive& archive, Self& e) {
  archive(e.background_.overall, e.clock_, e.decay_, e.largest_hash_, e.counted_, e.last_end_,
          e.first_end_, e.family_runs_, e.last_kept_, e.changes_, e.forecast_changes_, e.adaptive_,
          e.learned_, e.width_);
}

void Estimator::save(Packer& packer) {
  const std::size_t begin = packer.size();
  const bool only_log = logs() && log_.is_little();
  const PartKind kind = only_log ? PartKind::kLog : saved_ ? PartKind::kState : PartKind::kWhole;
  packer(kVersion, static_cast<std::uint64_t>(kind));
  if (only_log) {
    packer(width_, forecast_changes_);  // what an estimate leaves behind that is not kept
    packer.raw(log_.bytes());
    log_.note_stored();
  } else if (kind == PartKind::kState) {
    save_state(packer);
  } else {
    Packer state(packer.now());
    save_state(state);
    put_deflated(packer, state.bytes());
  }
  const std::uint64_t sum = progress::stable_hash(packer.bytes().substr(begin));
  packer.raw({reinterpret_cast<const char*>(&sum), sizeof sum});
}

void Estimator::save_state(Packer& packer) {
  saved_ = true;
  is_past_log_ = false;
  log_.clear();
  family_runs_ = runs_of_family();
  fields(packer, *this);
  workload_.save(packer);
  pace_.save(packer);
  trail_.save(packer);
  save_grown(packer, stage_names_, saved_stage_names_);
  save_grown(packer, files_, saved_files_);
}

bool Estimator::is_log(std::string_view part) {
  Unpacker unpacker(part);
  return unpacker.number() == kVersion &&
         unpacker.number() == static_cast<std::uint64_t>(PartKind::kLog);
}

bool Estimator::load(std::string_view part) {
  if (part.size() < kSumBytes) return false;
  const std::string_view kept = part.substr(0, part.size() - kSumBytes);
  std::uint64_t sum = 0;
  std::memcpy(&sum, part.data() + kept.size(), sizeof sum);
  if (progress::stable_hash(kept) != sum) return false;
  Unpacker unpacker(kept);
  if (unpacker.number() != kVersion) return false;
  const std::uint64_t kind = unpacker.number();
  if (kind == static_cast<std::uint64_t>(PartKind::kWhole)) {
    *this = Estimator(Instant{}, std::move(background_));
    const auto state = take_deflated(unpacker);
    Unpacker plain(state ? std::string_view(*state) : std::string_view());
    return state && load_state(plain);
  }
  if (!saved_) return false;  // what it builds on is missing
  if (kind != static_cast<std::uint64_t>(PartKind::kLog)) return load_state(unpacker);
  double width = 0;
  std::uint64_t forecast_changes = 0;
  unpacker(width, forecast_changes);
  if (!InputLog::tell(unpacker, *this)) return false;
  width_ = width;
  forecast_changes_ = forecast_changes;
  log_.note_stored();
  return true;
}

bool Estimator::load_state(Unpacker& unpacker) {
  saved_ = true;
  is_past_log_ = false;
  log_.clear();
  fields(unpacker, *this);
  workload_.load(unpacker);
  pace_.load(unpacker);
  trail_.load(unpacker);
  load_grown(unpacker, stage_names_);
  load_grown(unpacker, files_);
  saved_stage_names_ = stage_names_.size();
  saved_files_ = files_.size();
  consult_past();
  return unpacker.ok() && unpacker.empty();
}

void Estimator::forget_saved() {
  saved_ = false;
  log_.clear();
  saved_stage_names_ = saved_files_ = 0;
  workload_.forget_saved();
  pace_.forget_saved();
  trail_.forget_saved();
}

}  // namespace agent::eta
