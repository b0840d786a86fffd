#include "agent/wire/framer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "agent/wire/text.h"

namespace agent::wire {
namespace {

char* find_newline(char* from, char* to) {
  if (from == to) return nullptr;
  return static_cast<char*>(std::memchr(from, '\n', static_cast<std::size_t>(to - from)));
}

}  // namespace

void Framer::feed(std::span<char> piece) {
  at_ = piece.data();
  end_ = at_ + piece.size();
  // A piece that does not end the line is appended to it in `next`: a client that sends byte by
  // byte must not have the line copied each time.
  if (rest_.empty() || find_newline(at_, end_) == nullptr) return;
  at_ -= rest_.size();
  std::memcpy(at_, rest_.data(), rest_.size());
  constexpr std::size_t kWorthKeeping = 1024;
  if (rest_.capacity() > kWorthKeeping) rest_ = {};
  rest_.clear();
}

std::optional<Line> Framer::next() {
  while (char* newline = find_newline(at_, end_)) {
    if (auto line = end_line(newline)) return line;
  }
  const std::size_t length = rest_.size() + static_cast<std::size_t>(end_ - at_);
  const bool ends_in_return = at_ != end_ ? end_[-1] == '\r' : rest_.ends_with('\r');
  if (skipping_) {
    at_ = end_;
  } else if (length > max_ + (ends_in_return ? 1 : 0)) {
    return give_up();
  }
  keep_rest();
  return std::nullopt;
}

// The line from `at_` to `newline`; empty when it is blank, or the end of one given up.
std::optional<Line> Framer::end_line(const char* newline) {
  std::string_view text(at_, static_cast<std::size_t>(newline - at_));
  at_ += text.size() + 1;
  const std::uint64_t number = number_++;
  if (std::exchange(skipping_, false)) return std::nullopt;
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.size() > max_) return Line{{}, number, true};
  const bool may_be_blank = text.empty() || static_cast<unsigned char>(text.front()) <= ' ';
  if (may_be_blank && is_blank(text)) return std::nullopt;
  return Line{text, number, false};
}

Line Framer::give_up() {
  skipping_ = true;
  rest_ = {};
  at_ = end_;
  return {{}, number_, true};
}

void Framer::keep_rest() {
  if (at_ != end_) rest_.append(at_, end_);
  at_ = end_;
}

std::optional<Line> Framer::finish() {
  if (std::exchange(skipping_, false)) return std::nullopt;
  if (rest_.ends_with('\r')) rest_.pop_back();
  if (is_blank(rest_)) return std::nullopt;
  rest_.reserve(rest_.size() + kPadding);
  at_ = end_ = nullptr;
  // `rest_` stays, for the view; nothing can be fed after the end.
  return Line{rest_, number_, false};
}

}  // namespace agent::wire
