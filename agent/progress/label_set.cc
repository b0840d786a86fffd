#include "agent/progress/label_set.h"

#include <algorithm>

namespace agent::progress {
namespace {

constexpr std::size_t kScan = 8;  // that few names are compared one by one, faster than by hash

}  // namespace

LabelId LabelSet::intern(std::string_view value, std::size_t limit) {
  value = cut_utf8(value, kMaxLabelValue);
  const std::size_t scanned = std::min(names_.size(), kScan);
  for (std::size_t i = 0; i < scanned; ++i) {
    if (names_[i] == value) return static_cast<LabelId>(i);
  }
  if (const auto found = ids_.find(value); found != ids_.end()) return found->second;
  if (names_.size() < limit) return add(value);
  ++folded_;
  return value == kOtherLabel ? add(value) : intern(kOtherLabel, limit + 1);
}

void LabelSet::save(Packer& packer) {
  packer(folded_, saved_);
  packer.number(names_.size() - saved_);
  for (; saved_ < names_.size(); ++saved_) packer.text(names_[saved_]);
}

void LabelSet::load(Unpacker& unpacker) {
  std::size_t from = 0;
  unpacker(folded_, from);
  const std::uint64_t count = unpacker.number();
  if (from > names_.size() || count > unpacker.rest().size()) return unpacker.fail();
  for (std::uint64_t i = from; i < from + count && unpacker.ok(); ++i) {
    const std::string_view name = unpacker.text();
    if (i == names_.size())
      add(name);
    else if (names_[i] != name)
      return unpacker.fail();
  }
  saved_ = names_.size();
}

LabelId LabelSet::add(std::string_view value) {
  const auto id = static_cast<LabelId>(names_.size());
  names_.emplace_back(value);
  if (names_.size() > kScan) ids_.emplace(names_.back(), id);
  return id;
}

}  // namespace agent::progress
