#include "agent/cli/recognise.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

namespace agent::cli {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
// What a number in a path, a date, a version or a word stands beside.
constexpr bool is_word(char c) {
  return is_digit(c) || is_letter(c) || c == '/' || c == '.' || c == '-' || c == '_' || c == ':';
}

// A place in a line, moving right.
class Cursor {
 public:
  Cursor(std::string_view line, std::size_t at) : line_(line), at_(at) {}

  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < line_.size() ? line_[at_ + ahead] : ' ';
  }
  [[nodiscard]] std::size_t at() const { return at_; }
  void skip_blanks() {
    while (at_ < line_.size() && line_[at_] == ' ') ++at_;
  }
  bool skip(std::string_view text) {
    const bool is_next = line_.substr(at_).starts_with(text);
    if (is_next) at_ += text.size();
    return is_next;
  }
  // Digits, with a fraction and commas between thousands.
  std::optional<double> number(bool& is_whole) {
    std::string digits;
    while (is_digit(peek()) || (peek() == ',' && !digits.empty() && is_digit(peek(1)))) {
      if (peek() != ',') digits += peek();
      ++at_;
    }
    if (digits.empty()) return std::nullopt;
    is_whole = true;
    if (peek() == '.' && is_digit(peek(1))) {
      is_whole = false;
      do digits += line_[at_++];
      while (is_digit(peek()));
    }
    double value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }
  // The factor of a unit of bytes or thousands behind a number: "k", "MiB", " GB"; 1: none.
  double scale() {
    constexpr std::string_view kPrefixes = "kMGTP";
    const std::size_t start = at_;
    skip_blanks();
    const char first = peek() == 'K' ? 'k' : peek();
    const std::size_t power = kPrefixes.find(first);
    const bool is_bytes = peek() == 'B' && !is_letter(peek(1));
    if (power == std::string_view::npos && !is_bytes) {
      at_ = start;
      return 1;
    }
    if (!is_bytes) ++at_;
    const bool is_binary = !is_bytes && skip("i");
    static_cast<void>(skip("B") || skip("b"));
    if (is_letter(peek())) {  // a word, not a unit
      at_ = start;
      return 1;
    }
    constexpr double kDecimal = 1000, kBinary = 1024;
    return is_bytes ? 1 : std::pow(is_binary ? kBinary : kDecimal, static_cast<double>(power + 1));
  }

 private:
  std::string_view line_;
  std::size_t at_;
};

std::optional<Count> percent(double share) {
  if (!(share >= 0 && share <= 100)) return std::nullopt;
  return Count{static_cast<std::int64_t>(share), 100, true};
}

// "11/23 10:00": a date and its time.
bool is_followed_by_time(Cursor cursor) {
  cursor.skip_blanks();
  return is_digit(cursor.peek()) && is_digit(cursor.peek(1)) && cursor.peek(2) == ':';
}

// "12/400", "12 of 400", "1.2 GiB / 3.4 GiB" from `at` on.
std::optional<Count> fraction_at(std::string_view line, std::size_t at) {
  Cursor cursor(line, at);
  bool is_whole = false, is_total_whole = false;
  const auto done = cursor.number(is_whole);
  const double done_scale = cursor.scale();
  cursor.skip_blanks();
  if (!done || !(cursor.skip("/") || cursor.skip("of "))) return std::nullopt;
  cursor.skip_blanks();
  const auto total = cursor.number(is_total_whole);
  if (!total) return std::nullopt;
  const double total_scale = cursor.scale();
  if (is_word(cursor.peek()) && !(cursor.peek() == '.' && !is_word(cursor.peek(1))) &&
      !(cursor.peek() == ':' && cursor.peek(1) == ' ')) {
    return std::nullopt;
  }
  if (is_followed_by_time(cursor)) return std::nullopt;
  if (!(*total > 0 && *done * done_scale <= *total * total_scale)) return std::nullopt;
  constexpr double kMost = 9e15;
  const bool has_units = done_scale != 1 || total_scale != 1;
  const bool is_count = is_whole && is_total_whole && !has_units;
  if (!is_count && !has_units) return std::nullopt;  // "version 1.2/3"
  if (!is_count) return percent(100 * *done * done_scale / (*total * total_scale));
  if (*total > kMost) return std::nullopt;
  return Count{static_cast<std::int64_t>(*done), static_cast<std::int64_t>(*total), false};
}

std::optional<Count> percent_at(std::string_view line, std::size_t at) {
  Cursor cursor(line, at);
  bool is_whole = false;
  const auto share = cursor.number(is_whole);
  if (!share) return std::nullopt;
  if (cursor.peek() == ' ') cursor.skip_blanks();
  if (cursor.peek() != '%') return std::nullopt;
  return percent(*share);
}

std::vector<std::string_view> columns(std::string_view line) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    if (end > at) out.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

// curl's table has the percentage in the first of its twelve columns, and times in three of them.
std::optional<Count> curl_table(std::string_view line) {
  constexpr std::size_t kColumns = 12;
  const auto found = columns(line);
  if (found.size() != kColumns) return std::nullopt;
  for (const std::size_t i : {8, 9, 10}) {
    if (std::count(found[i].begin(), found[i].end(), ':') != 2) return std::nullopt;
  }
  bool is_whole = false;
  const auto share = Cursor(found[0], 0).number(is_whole);
  if (!share || !is_whole) return std::nullopt;
  return percent(*share);
}

}  // namespace

std::optional<Count> recognise(std::string_view line) {
  std::optional<Count> share = curl_table(line);
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (!is_digit(line[at]) || (at > 0 && (is_word(line[at - 1]) || line[at - 1] == ','))) continue;
    const auto count = fraction_at(line, at);
    if (count && !count->is_percent) return count;
    if (!share) share = count ? count : percent_at(line, at);
  }
  return share;
}

std::string without_escapes(std::string_view line) {
  constexpr char kEscape = '\x1b';
  std::string out;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] != kEscape) {
      out += line[at] == '\t' ? ' ' : line[at];
    } else if (at + 1 < line.size() && line[at + 1] == '[') {
      at += 2;  // to the letter that ends it
      while (at < line.size() && !is_letter(line[at])) ++at;
    } else {
      ++at;
    }
  }
  return out;
}

bool Listening::hear(std::string_view piece) {
  bool is_new = false;
  for (const char c : piece) {
    if (c == '\n' || c == '\r') {
      is_new |= end_line();
    } else if (line_.size() <= kLongest) {
      line_ += c;
    }
  }
  return is_new;
}

bool Listening::end_line() {
  const std::string line = std::exchange(line_, {});
  if (line.empty() || line.size() > kLongest) return false;
  const auto found = recognise(without_escapes(line));
  return found && take(*found);
}

bool Listening::take(const Count& found) {
  const bool is_other =
      count_ && (found.is_percent ? !count_->is_percent
                                  : !count_->is_percent && found.total != count_->total);
  if (is_other) {
    if (found.is_percent) return false;
    other_lines_ = found.total == other_total_ ? other_lines_ + 1 : 1;
    other_total_ = found.total;
    if (other_lines_ < kConvincing) return false;
  }
  other_lines_ = 0;
  if (count_ == found) return false;
  count_ = found;
  return true;
}

}  // namespace agent::cli
