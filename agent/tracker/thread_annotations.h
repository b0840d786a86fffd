// Says in code which lock guards what; Clang checks it (-Wthread-safety), other compilers see
// nothing.
#pragma once

#include <mutex>

#if defined(__clang__)
#define AGENT_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define AGENT_THREAD_ANNOTATION(x)
#endif

#define CAPABILITY(x) AGENT_THREAD_ANNOTATION(capability(x))
#define SCOPED_CAPABILITY AGENT_THREAD_ANNOTATION(scoped_lockable)
#define GUARDED_BY(x) AGENT_THREAD_ANNOTATION(guarded_by(x))
#define REQUIRES(...) AGENT_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) AGENT_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) AGENT_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS AGENT_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace agent::tracker {

// std::mutex that Clang knows.
class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace agent::tracker
