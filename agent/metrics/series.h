// Series: where a row of the table puts its samples. Writes lines of one family, for one session or
// for the page, straight into the page. This is the hot path of a scrape: a line is four copies and
// a number. The event loop's thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/metrics/families.h"
#include "agent/metrics/number.h"
#include "agent/metrics/text.h"
#include "agent/progress/histogram.h"

namespace agent::metrics {

// What is the same in every line of a family, written once.
struct FamilyText {
  explicit FamilyText(const Family& family);

  std::string sample, bucket, sum, count, created;  // the name and "{"
  std::string open_label;                  // ,provider="   when the first label is an open one
  std::vector<std::string> closed_labels;  // ,state="pending"}   for each value of a closed one
  bool is_counter;
};

// The `le` labels of lists of bounds, each list spelled once.
class BoundTexts {
 public:
  // One text for each bound and one for +Inf: `,le="0.25"} `.
  std::span<const std::string> of(std::span<const double> bounds);

 private:
  struct Known {
    std::vector<double> bounds;
    std::vector<std::string> texts;
  };
  std::vector<Known> known_;
};

class Series {
 public:
  // `has_created`: with `_created` samples (OpenMetrics).
  Series(const FamilyText& family, BoundTexts& bounds, bool has_created, Text& text)
      : family_(family), bounds_(bounds), has_created_(has_created), text_(text) {}

  // The following series are of this session, whose counters count since `created`.
  void begin_session(std::string_view label, Instant created) {
    session_ = label;
    created_ = created;
  }

  // A sample is written unless its number is unknown, or is a counter's and negative. `value` is
  // the value of the first label, `i` the index of the last label's value in the row's closed list.
  void add(Number number) { write({}, kEnd, number); }
  void add(std::size_t i, Number number) { write({}, family_.closed_labels[i], number); }
  void add(std::string_view value, Number number) { write(open(value), kEnd, number); }
  template <typename T, std::size_t N>
  void each(const std::array<T, N>& numbers) {
    for (std::size_t i = 0; i < N; ++i) add(i, numbers[i]);
  }
  template <typename T, std::size_t N>
  void each(std::string_view value, const std::array<T, N>& numbers) {
    const std::string_view label = open(value);
    for (std::size_t i = 0; i < N; ++i) write(label, family_.closed_labels[i], numbers[i]);
  }

  void add(const progress::Histogram& histogram) { write({}, kEnd, histogram); }
  void add(std::size_t i, const progress::Histogram& histogram) {
    write({}, family_.closed_labels[i], histogram);
  }
  void add(std::string_view value, const progress::Histogram& histogram) {
    write(open(value), kEnd, histogram);
  }
  void add(std::string_view value, std::size_t i, const progress::Histogram& histogram) {
    write(open(value), family_.closed_labels[i], histogram);
  }

  // A series whose labels are given one by one.
  class Line;
  Line line();

  [[nodiscard]] std::uint64_t count() const { return count_; }  // series written so far

 private:
  static constexpr std::string_view kEnd = "} ";
  // More than the longest line that `write` makes: two escaped values, the names, and the number.
  static constexpr std::size_t kLineRoom = 1024;

  // The agent's own counters do not say.
  [[nodiscard]] bool has_created() const { return has_created_ && !session_.empty(); }
  std::string_view open(std::string_view value);
  void write(std::string_view open, std::string_view closed, Number number) {
    if (!number.is_known() || (family_.is_counter && number.is_negative())) return;
    put_line(family_.sample, open, closed, number);
    if (has_created() && family_.is_counter) put_line(family_.created, open, closed, created_);
  }
  void write(std::string_view open, std::string_view closed, const progress::Histogram& histogram);
  char* put_buckets(char* at, std::string_view labels, const progress::Histogram& histogram);
  void put_line(std::string_view name, std::string_view open, std::string_view closed,
                Number number) {
    char* at = text_.room(kLineRoom);
    at = put(at, name);
    at = put(at, session_);
    at = put(at, open);
    at = put(at, closed);
    at = number.put(at);
    *at++ = '\n';
    text_.commit(at);
    ++count_;
  }

  const FamilyText& family_;
  BoundTexts& bounds_;
  const bool has_created_;
  Text& text_;
  std::string_view session_;
  Instant created_;
  std::uint64_t count_ = 0;
  std::array<char, 64 + kLabelValueRoom> open_;
};

class Series::Line {
 public:
  Line& label(std::string_view name, std::string_view value);
  Line& label(std::string_view name, std::int64_t value) {
    return label(name, std::to_string(value));
  }
  void value(Number number);

 private:
  friend class Series;
  explicit Line(Series& series);

  Series& series_;
  std::size_t begin_;  // where the line begins: taken back when there is no number
};

inline Series::Line Series::line() { return Line(*this); }

}  // namespace agent::metrics
