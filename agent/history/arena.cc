#include "agent/history/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace agent::history {
namespace {

// The first block; each is twice the one before, up to the last.
constexpr std::size_t kFirst = std::size_t{64} << 10U, kLast = std::size_t{4} << 20U;
constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE, which older headers lack

}  // namespace

Arena::~Arena() {
  for (const std::span<char> block : blocks_) ::munmap(block.data(), block.size());
}

std::string_view Arena::keep(std::string_view bytes) {
  if (bytes.empty()) return {};
  char* const copy = allocate(bytes.size());
  std::memcpy(copy, bytes.data(), bytes.size());
  return {copy, bytes.size()};
}

void Arena::grow(std::size_t bytes) {
  const std::size_t usual = blocks_.empty() ? kFirst : std::min(kLast, 2 * blocks_.back().size());
  const std::size_t size = std::max(bytes, usual);
  blocks_.reserve(blocks_.size() + 1);  // what throws comes before what has to be given back
  void* const block =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) throw std::bad_alloc();
  ::madvise(block, size, kPopulateWrite);  // a wish
  next_ = static_cast<char*>(block);
  left_ = size;
  blocks_.emplace_back(next_, size);
}

}  // namespace agent::history
