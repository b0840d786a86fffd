#include "agent/history/arena.h"

#include <sys/mman.h>

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
  // Not the heap's: what is wished for it would stay with the next who gets it.
  void* const block =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) throw std::bad_alloc();
  ::madvise(block, bytes, MADV_HUGEPAGE);  // a wish
  return block;
}

void Arena::HugePages::do_deallocate(void* block, std::size_t bytes, std::size_t alignment) {
  if (bytes < kHugePage)
    std::pmr::new_delete_resource()->deallocate(block, bytes, alignment);
  else
    ::munmap(block, bytes);
}

}  // namespace agent::history
