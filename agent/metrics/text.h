// Text: the page while it is being written, a growing buffer that is reused from scrape to scrape;
// and how label values and bucket bounds are spelled in it. The event loop's thread writes; once a
// page is finished it only is read. Sizes are bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace agent::metrics {

// Raw writing: each takes the place to write at and returns the place after it. The caller made
// room.
// Copies N to 2 N bytes: the first N and the last N.
template <std::size_t N>
inline char* put_ends(char* at, std::string_view text) {
  std::array<char, N> head, tail;
  std::memcpy(head.data(), text.data(), N);
  std::memcpy(tail.data(), text.data() + text.size() - N, N);
  std::memcpy(at, head.data(), N);
  std::memcpy(at + text.size() - N, tail.data(), N);
  return at + text.size();
}
// A page is a few such pieces a line, most of them short: a call each would take longer.
inline char* put(char* at, std::string_view text) {
  const std::size_t size = text.size();
  if (size > 64) {
    std::memcpy(at, text.data(), size);
    return at + size;
  }
  if (size >= 32) return put_ends<32>(at, text);
  if (size >= 16) return put_ends<16>(at, text);
  if (size >= 8) return put_ends<8>(at, text);
  for (const char c : text) *at++ = c;
  return at;
}

class Text {
 public:
  [[nodiscard]] std::string_view view() const { return {begin_.get(), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  void clear() { size_ = 0; }
  // Takes back everything after the first `size` bytes.
  void truncate(std::size_t size) { size_ = size; }
  // Where to write next, with at least `n` bytes of room. What was written counts after `commit`.
  [[nodiscard]] char* room(std::size_t n) {
    if (capacity_ - size_ < n) grow(n);
    return begin_.get() + size_;
  }
  void commit(const char* end) { size_ = static_cast<std::size_t>(end - begin_.get()); }
  void append(std::string_view text) { commit(put(room(text.size()), text)); }

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  void grow(std::size_t n);

  std::unique_ptr<char[], Free> begin_;
  std::size_t size_ = 0, capacity_ = 0;
};

// A label value is cut at this many bytes of UTF-8 (before escaping), on a code point boundary.
inline constexpr std::size_t kMaxLabelValue = 128;
// The room that `put_label_value` may need: every byte escaped.
inline constexpr std::size_t kLabelValueRoom = 2 * kMaxLabelValue;

// Writes a label value without its quotes, whatever bytes it holds: what is no valid UTF-8 becomes
// U+FFFD, then it is cut, then `\`, `"` and newline are escaped.
char* put_label_value(char* at, std::string_view value);
// Appends `name="value"`, after a comma unless it is the first one behind the "{".
void append_label(Text& out, std::string_view name, std::string_view value);
// The value without escaping: the value as Prometheus will read it back. Two values that are equal
// here would be the same series.
[[nodiscard]] std::string label_value(std::string_view value);
// Whether `label_value(value) == value`: nothing to cut or to replace. Quick for ASCII.
[[nodiscard]] bool is_label_value(std::string_view value);

// A bound as `le` spells it, in both formats alike, so that a series keeps its name whichever
// format is scraped: as Go's OpenMetrics writer does ("0.25", "1.0", "1.048576e+06"), to which
// Prometheus 3 normalises every bound.
[[nodiscard]] std::string bound_text(double bound);

}  // namespace agent::metrics
