#include "agent/history/arena.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace agent::history {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20U;

}  // namespace

std::string_view Arena::keep(std::string_view bytes) {
  if (bytes.empty()) return {};
  char* const copy = allocate(bytes.size());
  std::memcpy(copy, bytes.data(), bytes.size());
  return {copy, bytes.size()};
}

void* Arena::HugePages::do_allocate(std::size_t bytes, std::size_t alignment) {
  if (bytes < kHugePage) return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  const std::size_t whole = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  void* const block = std::aligned_alloc(kHugePage, whole);
  if (block == nullptr) throw std::bad_alloc();
  ::madvise(block, whole, MADV_HUGEPAGE);  // a wish
  return block;
}

void Arena::HugePages::do_deallocate(void* block, std::size_t bytes, std::size_t alignment) {
  if (bytes < kHugePage)
    std::pmr::new_delete_resource()->deallocate(block, bytes, alignment);
  else
    std::free(block);
}

}  // namespace agent::history
