// InputLog: what an estimator was told since storage had it last, as bytes: while it is little, it
// is cheaper to store than what the estimator made of it. Told again, it gives the same estimator.
// Pure; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/clock.h"
#include "agent/progress/archive.h"
#include "agent/progress/change.h"

namespace agent::eta {

class Estimator;

class InputLog {
 public:
  void change(const progress::FileChange& change);
  void counts(Instant at, std::int64_t completed, std::int64_t failed);
  void pause(Instant at);
  void resume(Instant at);
  void wait(Instant at, Instant until);

  // Not much more than an estimator that changed has to say of itself; nor is what is to be told
  // again after a restart.
  [[nodiscard]] bool is_little() const {
    return packer_.size() < kLittle && stored_ + packer_.size() < kMostStored;
  }
  [[nodiscard]] std::string_view bytes() const { return packer_.bytes(); }
  void note_stored();  // what there is
  void clear();        // what became of it is stored

  // Tells the estimator all that is left. False: damaged.
  [[nodiscard]] static bool tell(progress::Unpacker& from, Estimator& estimator);

 private:
  static constexpr std::size_t kLittle = 512, kMostStored = 4096;

  progress::Packer packer_;  // what storage does not have
  std::size_t stored_ = 0;   // bytes that it has
};

}  // namespace agent::eta
