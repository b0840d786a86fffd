#include "agent/clock.h"

namespace agent {

Now SystemClock::now() const {
  using std::chrono::floor;
  return {floor<Duration>(std::chrono::system_clock::now()),
          floor<Duration>(std::chrono::steady_clock::now())};
}

}  // namespace agent
