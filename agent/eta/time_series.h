// TimeSeries: values over the whole life of a session in constant memory: at most 2 x kHalf rows at
// even distances from time 0. When it is full every other row goes and the distance doubles, so any
// look-back is as fine as 1/kHalf of the time so far, whatever that is. Pure; not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
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

  // For storage: a row as what differs from the one before, which is little: which columns, and the
  // bits of each. NaN is NaN here.
  static void save_row(progress::Packer& packer, const Row& row, const Row& before) {
    static_assert(Width < 64);
    std::uint64_t changed = 0;
    for (std::size_t c = 0; c < Width; ++c)
      changed |= std::uint64_t{difference(row, before, c) != 0} << c;
    packer.number(changed);
    for (std::size_t c = 0; c < Width; ++c) {
      if (const std::uint32_t bits = difference(row, before, c); bits != 0) packer.number(bits);
    }
  }
  static Row load_row(progress::Unpacker& unpacker, Row row) {
    const std::uint64_t changed = unpacker.number();
    for (std::size_t c = 0; c < Width; ++c) {
      if ((changed >> c & 1U) == 0) continue;
      const auto bits = static_cast<std::uint32_t>(unpacker.number());
      row[c] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(row[c]) ^ bits);
    }
    return row;
  }
  [[nodiscard]] Row last() const { return rows_.empty() ? Row{} : rows_.back(); }

  // For storage: the rows that were not saved yet, and how they come back.
  void save(progress::Packer& packer) {
    packer(halvings_, std::uint64_t{saved_}, std::uint64_t{rows_.size() - saved_});
    for (std::size_t i = saved_; i < rows_.size(); ++i)
      save_row(packer, rows_[i], i > 0 ? rows_[i - 1] : Row{});
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
    for (std::uint64_t i = 0; i < more && unpacker.ok(); ++i)
      rows_.push_back(load_row(unpacker, last()));
    saved_ = rows_.size();
  }
  void forget_saved() { saved_ = 0; }

 private:
  static std::uint32_t difference(const Row& a, const Row& b, std::size_t c) {
    return std::bit_cast<std::uint32_t>(a[c]) ^ std::bit_cast<std::uint32_t>(b[c]);
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
