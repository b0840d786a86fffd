// Arena: memory for bytes that come all at once and go all at once, as at a restart. It asks for
// huge pages: to touch tens of megabytes 4 KiB at a time takes longer than to fill them. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <string_view>

namespace agent::history {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Lives as long as the arena.
  [[nodiscard]] char* allocate(std::size_t bytes) {
    return static_cast<char*>(bytes_.allocate(bytes, 1));
  }
  [[nodiscard]] std::string_view keep(std::string_view bytes);

 private:
  class HugePages final : public std::pmr::memory_resource {
    void* do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
      return this == &other;
    }
  };

  static constexpr std::size_t kFirst = std::size_t{1} << 20U;
  HugePages pages_;
  std::pmr::monotonic_buffer_resource bytes_{kFirst, &pages_};
};

}  // namespace agent::history
