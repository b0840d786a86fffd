#include "agent/cli/sandbox.h"

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

namespace agent::cli {
namespace {

// How the process ends: what it could do, or could not. Never 0, which is how /bin/true ends.
enum Outcome : int {
  kSafe = 1,
  kNoSandbox,
  kExecuted,
  kTraced,
  kForked,
  kOddSocket,
  kNoThread,
  kNoUsualSocket
};

bool opens(int family, int type) {
  const int fd = ::socket(family, type, 0);
  const bool is_open = fd >= 0;
  if (is_open) ::close(fd);
  return is_open;
}

// What a process finds out about itself once it is in.
int try_everything() {
  if (!enter_sandbox()) return kNoSandbox;
  char shell[] = "/bin/true";
  char* const arguments[] = {shell, nullptr};
  ::execv(shell, arguments);
  if (errno != EPERM) return kExecuted;
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0) return kTraced;
  if (const pid_t child = ::fork(); child >= 0) {
    if (child == 0) ::_exit(0);
    return kForked;
  }
  if (opens(AF_PACKET, SOCK_RAW) || opens(AF_ALG, SOCK_SEQPACKET) || opens(AF_VSOCK, SOCK_STREAM))
    return kOddSocket;
  if (!opens(AF_INET, SOCK_STREAM) || !opens(AF_UNIX, SOCK_STREAM)) return kNoUsualSocket;
  bool ran = false;
  std::thread([&] { ran = true; }).join();
  return ran ? kSafe : kNoThread;
}

TEST(Sandbox, RefusesWhatTheAgentHasNoUseFor) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(try_everything());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  if (WEXITSTATUS(status) == kNoSandbox) GTEST_SKIP() << "a sanitizer, or a kernel without seccomp";
  EXPECT_EQ(WEXITSTATUS(status), kSafe);
}

}  // namespace
}  // namespace agent::cli
