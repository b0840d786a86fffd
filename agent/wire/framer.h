// Framer: the bytes of a stream, in whatever pieces they come -> its lines (contract, section 2).
// One per connection, body or datagram; not thread-safe. Lines are views into the bytes that were
// fed: nothing is copied but a line that begins in one piece and ends in another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/wire/parser.h"

namespace agent::wire {

struct Line {
  std::string_view text;     // without its newline; kPadding bytes after it are readable
  std::uint64_t number = 0;  // from 1; blank lines count
  bool is_too_long = false;  // then `text` is empty, and the rest of the line is skipped
};

class Framer {
 public:
  explicit Framer(std::size_t max_line_bytes) : max_(max_line_bytes) {}

  // Takes the next piece. Before it headroom(max) bytes must be writable unless it is the first
  // one, after it kPadding bytes readable; both until `next` has returned nothing.
  void feed(std::span<char> piece);

  // The next line that is neither blank nor unfinished. A line is reported as too long as soon as
  // it is.
  std::optional<Line> next();

  // The end of the stream: its last line, if it has one without a newline. Valid until the next
  // call.
  std::optional<Line> finish();

  // How many bytes are kept for the next piece.
  [[nodiscard]] std::size_t pending() const { return rest_.size(); }

  // What must be writable before a piece: an unfinished line, whose last byte may be half of
  // "\r\n".
  static constexpr std::size_t headroom(std::size_t max_line_bytes) { return max_line_bytes + 1; }

 private:
  void keep_rest();
  std::optional<Line> end_line(const char* newline);
  Line give_up();

  std::size_t max_;
  std::uint64_t number_ = 1;  // of the line that `at_` is in
  bool skipping_ = false;     // the rest of a line that was too long
  char* at_ = nullptr;        // what is not yet read of the piece
  char* end_ = nullptr;
  std::string rest_;  // the beginning of a line that ends in a later piece
};

// The memory that pieces are read into: one for all connections of a loop, since between two reads
// a connection keeps only an unfinished line. Not thread-safe.
class ReadBuffer {
 public:
  static constexpr std::size_t kBytes = std::size_t{256} * 1024;

  explicit ReadBuffer(std::size_t max_line_bytes)
      : headroom_(Framer::headroom(max_line_bytes)), bytes_(headroom_ + kBytes + kPadding) {}

  // Where to read: kBytes, with the room around them that Framer::feed asks for.
  [[nodiscard]] std::span<char> room() { return std::span(bytes_).subspan(headroom_, kBytes); }

 private:
  std::size_t headroom_;
  std::vector<char> bytes_;
};

}  // namespace agent::wire
