// LabelSet: the distinct values of one label (stage, provider, model) within a session, each with a
// small number. At most `limit` values are kept apart; all later ones share the value "other", so
// that a job that invents names cannot make series without end. Pure; not thread-safe.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/progress/archive.h"
#include "agent/progress/text.h"

namespace agent::progress {

using LabelId = std::uint16_t;
inline constexpr std::size_t kMaxLabelValue = 128;  // bytes
inline constexpr std::string_view kOtherLabel = "other";

class LabelSet {
 public:
  // The number of `value` (cut at kMaxLabelValue bytes), given out in the order first seen; `limit`
  // bounds how many there are, "other" not counted.
  LabelId intern(std::string_view value, std::size_t limit);

  [[nodiscard]] const std::string& name(LabelId id) const { return names_[id]; }
  [[nodiscard]] std::size_t size() const { return names_.size(); }
  [[nodiscard]] std::uint64_t folded() const { return folded_; }  // lookups answered with "other"

  // For storage: the names that were not saved yet, and how they come back.
  void save(Packer& packer);
  void load(Unpacker& unpacker);
  void forget_saved() { saved_ = 0; }

 private:
  LabelId add(std::string_view value);

  std::vector<std::string> names_;
  boost::unordered_flat_map<std::string, LabelId, TextHash, TextEqual> ids_;  // from kScan names on
  std::uint64_t folded_ = 0;
  std::size_t saved_ = 0;  // names that storage has
};

}  // namespace agent::progress
