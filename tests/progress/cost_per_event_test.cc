// What an event and a file cost in memory: counted by replacing the program's allocation functions.

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "tests/fakes/one_session.h"

namespace {

// Of this thread.
thread_local std::size_t allocations = 0;
thread_local std::int64_t bytes_held = 0;

void* allocate(std::size_t size) noexcept {
  void* place = std::malloc(size);
  if (place == nullptr) return nullptr;
  ++allocations;
  bytes_held += static_cast<std::int64_t>(malloc_usable_size(place));
  return place;
}

void* allocate_or_throw(std::size_t size) {
  if (void* place = allocate(size)) return place;
  throw std::bad_alloc();
}

void release(void* place) noexcept {
  bytes_held -= static_cast<std::int64_t>(malloc_usable_size(place));
  std::free(place);
}

}  // namespace

// All the unaligned ones: a sanitizer's own would not go together with these.
void* operator new(std::size_t size) { return allocate_or_throw(size); }
void* operator new[](std::size_t size) { return allocate_or_throw(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* place) noexcept { release(place); }
void operator delete[](void* place) noexcept { release(place); }
void operator delete(void* place, std::size_t) noexcept { release(place); }
void operator delete[](void* place, std::size_t) noexcept { release(place); }
void operator delete(void* place, const std::nothrow_t&) noexcept { release(place); }
void operator delete[](void* place, const std::nothrow_t&) noexcept { release(place); }

namespace agent::progress {
namespace {

using enum FileStatus;

class Nobody final : public FileObserver {
 public:
  void on_file(const FileChange&) override {}
};

class CostPerEvent : public testing::Test {
 protected:
  void send(double at, Fact fact) {
    Event event;
    event.session = "job";
    event.fact = std::move(fact);
    const auto applied =
        session_.apply(event, fakes::moment(at), fakes::now_at(at), 10'000'000, nobody_);
    ASSERT_TRUE(applied);
  }
  // A life of one file that is known.
  void live_through(double at, std::string_view id) {
    send(at, FileProgressed{.file = id, .status = kProcessing, .stage = "parse", .bytes = 100});
    send(at + 1, FileProgressed{.file = id, .progress = 50.0, .stage = "embed", .bytes_done = 50});
    send(at + 2, FileProgressed{.file = id, .status = kFailed, .tokens = 7, .cost = 0.5});
    send(at + 3, FileProgressed{.file = id, .status = kProcessing, .model = "gpt"});
    send(at + 4, FileProgressed{.file = id, .status = kCompleted, .tokens = 9, .model = "gpt"});
    send(at + 4, FileProgressed{.file = id, .status = kProcessing});  // loses
    send(at + 1, FileProgressed{.file = id, .status = kProcessing});  // stale
  }

  const Rules rules_{};
  Session session_{"job", rules_, fakes::moment(0), fakes::now_at(0)};
  Nobody nobody_;
};

TEST_F(CostPerEvent, AnEventOfAKnownSessionAndFileAllocatesNothing) {
  const auto round = [&](int i) {
    for (const char* id : {"a", "b", "c"}) live_through(i * 100, id);
  };
  for (int i = 0; i < 3; ++i) round(i);  // until its windows have grown to their size
  const std::size_t before = allocations;
  for (int i = 3; i < 200; ++i) round(i);
  EXPECT_EQ(allocations, before);
}

TEST_F(CostPerEvent, SoDoCallsRateLimitsResourcesAndCounts) {
  const auto tell = [&](double at) {
    send(at, ApiCalled{.provider = "openai", .model = "gpt", .duration = fakes::span(1)});
    send(at, RateLimited{.delay = fakes::span(1), .provider = "openai"});
    send(at, ResourcesUsed{.memory_bytes = 1'000, .network_errors = 3});
    send(at, CountsReported{.completed = static_cast<std::int64_t>(at), .bytes_done = 5});
  };
  for (int i = 0; i < 20; ++i) tell(i * 10);
  const std::size_t before = allocations;
  for (int i = 20; i < 500; ++i) tell(i * 10);
  EXPECT_EQ(allocations, before);
}

TEST_F(CostPerEvent, AFileTakesAboutAHundredAndTwentyBytes) {
  constexpr int kFiles = 200'000;
  std::vector<std::string> ids;
  for (int i = 0; i < kFiles; ++i) ids.push_back("file-" + std::to_string(100'000'000 + i));
  const std::int64_t before = bytes_held;
  for (const auto& id : ids) {
    ASSERT_EQ(id.size(), 14U);
    send(1, FileProgressed{.file = id, .status = kPending, .bytes = 100});
  }
  const double each = static_cast<double>(bytes_held - before) / kFiles;
  RecordProperty("bytes_per_file", std::to_string(each));
  EXPECT_LE(each, 150);  // 96 and its id, and an index of 8 bytes that is at least 7/16 full
}

}  // namespace
}  // namespace agent::progress
