// What all HTTP connections share, so that thousands of slow ones cost little: one buffer that
// every read goes through, and budgets for what must be kept meanwhile. Event loop only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>

#include "agent/metrics/gzip.h"

namespace agent::web {

// So many bytes for everyone together. The first to come may exceed it alone, so that one large
// page or body never waits for ever.
class Budget {
 public:
  explicit Budget(std::size_t limit) : limit_(limit) {}
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  friend class Charge;
  const std::size_t limit_;
  std::size_t used_ = 0;
};

// One holder's part of a budget; given back when the holder goes.
class Charge {
 public:
  explicit Charge(Budget& budget) : budget_(budget) {}
  ~Charge() { budget_.used_ -= bytes_; }
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;

  // Holds `bytes` from now on; false, and nothing changes, if that is more than the budget has
  // left.
  [[nodiscard]] bool hold(std::size_t bytes) {
    const std::size_t others = budget_.used_ - bytes_;
    if (bytes > bytes_ && others > 0 && others + bytes > budget_.limit_) return false;
    budget_.used_ = others + bytes;
    bytes_ = bytes;
    return true;
  }

 private:
  Budget& budget_;
  std::size_t bytes_ = 0;
};

struct Memory {
  static constexpr std::size_t kHeadroom = 16 * 1024;
  static constexpr std::size_t kReadSize = 256 * 1024;
  static constexpr std::size_t kLeastReceived = 16 * 1024 * 1024;

  // `max_body`: bytes of the largest request body that is taken.
  explicit Memory(std::size_t max_body = 8 * 1024 * 1024)
      : received(std::max(2 * max_body, kLeastReceived)) {}

  // For bytes just read: what stands in them is good until the reader next waits for anything. In
  // front of it there is room for what the reader had kept from before.
  [[nodiscard]] std::span<char> read_area() const { return {buffer.get() + kHeadroom, kReadSize}; }

  std::unique_ptr<char[]> buffer = std::make_unique_for_overwrite<char[]>(kHeadroom + kReadSize);
  Budget received;                  // heads and bodies that are not complete yet
  metrics::Gzip gzip{1};            // level 1: the loop waits for it
  Budget unsent{32 * 1024 * 1024};  // replies that clients have not taken yet
};

}  // namespace agent::web
