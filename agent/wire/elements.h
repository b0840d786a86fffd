// Elements: a JSON document that is one event, or an array of events, in its parts. It finds where
// each ends and judges what is inside only where that costs nothing: it tells which are plain
// objects (plain.h). A view of the document, with kPadding readable bytes after it. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/wire/plain.h"

namespace agent::wire {

class Elements {
 public:
  explicit Elements(std::string_view document);

  // The next element; empty at the end, and where the document is broken.
  std::optional<std::string_view> next();

  // From 1: of what `next` gave last.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  // How deep it is nested in the document: 1 for the elements of [1,2].
  [[nodiscard]] std::size_t depth() const { return depth_; }
  // Of the same: it is valid JSON, a plain object. False says nothing.
  [[nodiscard]] bool is_plain() const { return is_plain_; }
  // All were given, or the document is broken.
  [[nodiscard]] bool is_over() const { return is_over_; }
  // The commas and brackets between elements are not as they must be.
  [[nodiscard]] bool is_broken() const { return is_broken_; }

 private:
  void skip_space();
  bool skip(char c);
  [[nodiscard]] std::size_t scan();
  std::optional<std::string_view> end(bool broken);

  KeyOrder<EventKey> order_;
  std::string_view rest_;
  bool is_array_ = false;
  bool is_over_ = false, is_broken_ = false;
  bool is_plain_ = false;
  std::uint64_t number_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace agent::wire
