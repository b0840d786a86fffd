// TimeSeries: values over the whole life of a session in constant memory: at most 2 x kHalf rows at
// even distances from time 0. When it is full every other row goes and the distance doubles, so any
// look-back is as fine as 1/kHalf of the time so far, whatever that is. Pure; not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "agent/progress/archive.h"

namespace agent::eta {

template <std::size_t Width, std::size_t kHalf>
class TimeSeries {
 public:
  using Row = std::array<float, Width>;

  // The time from which on the next row is wanted.
  [[nodiscard]] double due() const { return static_cast<double>(rows_.size()) * step_; }

  // What was true from the last row up to `now` (rows due in between, and at `now`, get it).
  void fill(double now, const Row& row) {
    while (due() <= now) {
      if (rows_.size() == 2 * kHalf) halve();
      if (due() <= now) rows_.push_back(row);
    }
  }

  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] double time(std::size_t i) const { return static_cast<double>(i) * step_; }
  [[nodiscard]] const Row& row(std::size_t i) const { return rows_[i]; }
  [[nodiscard]] double step() const { return step_; }

  // The last row at or before `time`; null when there is none.
  [[nodiscard]] const Row* at(double time) const {
    if (rows_.empty() || time < 0) return nullptr;
    return &rows_[std::min(rows_.size() - 1, static_cast<std::size_t>(time / step_))];
  }

  // Column `c` at `time`, linear between rows and from the last row to (`now`, `current`).
  [[nodiscard]] double between(double time, std::size_t c, double now, double current) const {
    if (rows_.empty()) return current;
    const std::size_t i = std::min(rows_.size() - 1, static_cast<std::size_t>(time / step_));
    const double t0 = this->time(i), v0 = rows_[i][c];
    const bool last = i + 1 == rows_.size();
    const double t1 = last ? now : this->time(i + 1), v1 = last ? current : rows_[i + 1][c];
    if (t1 <= t0) return v0;
    return v0 + (v1 - v0) * std::clamp((time - t0) / (t1 - t0), 0.0, 1.0);
  }

  // For storage: the rows that were not saved yet, and how they come back.
  void save(progress::Packer& packer) {
    packer(halvings_, std::uint64_t{saved_}, std::uint64_t{rows_.size() - saved_});
    for (std::size_t i = saved_; i < rows_.size(); ++i) {
      const bool repeats = i > 0 && same_bits(rows_[i], rows_[i - 1]);
      packer(repeats);
      if (!repeats) packer(rows_[i]);
    }
    saved_ = rows_.size();
  }
  void load(progress::Unpacker& unpacker) {
    std::uint32_t halvings = 0;
    std::uint64_t first = 0, more = 0;
    unpacker(halvings, first, more);
    if (halvings > kMostHalvings || halvings < halvings_) return unpacker.fail();
    while (halvings_ < halvings) halve();
    if (first > rows_.size() || more > 2 * kHalf - first) return unpacker.fail();
    rows_.resize(first);
    for (std::uint64_t i = 0; i < more; ++i) {
      bool repeats = false;
      unpacker(repeats);
      if (repeats && rows_.empty()) return unpacker.fail();
      rows_.push_back(repeats ? rows_.back() : Row{});
      if (!repeats) unpacker(rows_.back());
    }
    saved_ = rows_.size();
  }
  void forget_saved() { saved_ = 0; }

 private:
  // Rows repeat while nothing is foretold anew; NaN is NaN here.
  static bool same_bits(const Row& a, const Row& b) {
    return std::memcmp(a.data(), b.data(), sizeof a) == 0;
  }
  void halve() {
    const auto half = [](std::size_t rows) { return (rows + 1) / 2; };
    for (std::size_t i = 0; i < half(rows_.size()); ++i) rows_[i] = rows_[2 * i];
    rows_.resize(half(rows_.size()));
    step_ *= 2;
    ++halvings_;
    saved_ = half(saved_);  // storage has every other one of those it had
  }

  static constexpr double kLeastStep = 0.001;         // seconds
  static constexpr std::uint32_t kMostHalvings = 64;  // longer than any session

  std::vector<Row> rows_;
  double step_ = kLeastStep;
  std::uint32_t halvings_ = 0;
  std::size_t saved_ = 0;  // rows that storage has
};

}  // namespace agent::eta
