// "Did you mean": the candidate a mistyped name was probably meant to be. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace agent::settings {

// Insertions, deletions, substitutions and swaps of neighbours that turn one into the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Whether they differ at most in case and in `-` for `_`.
bool same_name(std::string_view a, std::string_view b);

// The nearest candidate, or "" when none is near (more than a third of the name would change).
std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace agent::settings
