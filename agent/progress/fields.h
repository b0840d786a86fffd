// How a type says what of it is packed: it lists its fields once, in a static `fields(archive,
// self)` or a free one, and Packer and Unpacker follow that list:
//
//   template <class Archive, class Self>
//   static void fields(Archive& archive, Self& self) { archive(self.count_, self.sum_); }
//
// An enum says how many values it has.
#pragma once

#include <cstddef>
#include <type_traits>

#include "agent/progress/names.h"

namespace agent::progress {

// The bound that unpacking checks.
template <typename Enum>
inline constexpr std::size_t kValues = 0;
template <>
inline constexpr std::size_t kValues<FileStatus> = kFileStatusNames.size();
template <>
inline constexpr std::size_t kValues<EndStatus> = kEndStatusNames.size();
template <>
inline constexpr std::size_t kValues<Mode> = kModeNames.size();

template <typename T, typename Archive>
concept ListsFields = requires(Archive& a, T& v) {
  std::remove_const_t<T>::fields(a, v);
};

}  // namespace agent::progress
