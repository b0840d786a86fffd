// Text with the readable bytes after it that the decoder asks for.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "agent/wire/parser.h"

namespace agent::wire {

class Padded {
 public:
  explicit Padded(std::string_view text) : text_(text), size_(text.size()) {
    text_.append(kPadding, '\0');
  }
  [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }
  [[nodiscard]] std::span<char> bytes() { return {text_.data(), size_}; }

 private:
  std::string text_;
  std::size_t size_;
};

}  // namespace agent::wire
