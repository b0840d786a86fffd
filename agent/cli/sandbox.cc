#include "agent/cli/sandbox.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

namespace agent::cli {
namespace {

#if defined(__has_feature)
#define AGENT_HAS_FEATURE(feature) __has_feature(feature)
#else
#define AGENT_HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    AGENT_HAS_FEATURE(address_sanitizer) || AGENT_HAS_FEATURE(thread_sanitizer)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

constexpr std::uint32_t kRefuse = SCMP_ACT_ERRNO(EPERM);

// Calls that no part of the agent makes.
constexpr int kDenied[] = {
    // Other programs and processes.
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kcmp),
    // Other users, roots and namespaces.
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setregid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(capset),
    SCMP_SYS(chroot),
    SCMP_SYS(pivot_root),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsmount),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    // The kernel itself.
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(personality),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(syslog),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(open_by_handle_at),
};

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

// Refuses a call when its first argument is so.
int deny_when(scmp_filter_ctx filter, int call, scmp_compare comparison, scmp_datum_t a,
              scmp_datum_t b = 0) {
  const scmp_arg_cmp first = {0, comparison, a, b};
  return seccomp_rule_add_array(filter, kRefuse, call, 1, &first);
}

// Only what the listeners, the notifier, and the resolver of names open: AF_UNIX (1), AF_INET (2),
// AF_INET6 (10), AF_NETLINK (16).
int deny_odd_sockets(scmp_filter_ctx filter) {
  int error = deny_when(filter, SCMP_SYS(socket), SCMP_CMP_GT, AF_NETLINK);
  for (unsigned family = 0; family < AF_NETLINK && error == 0; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6) continue;
    error = deny_when(filter, SCMP_SYS(socket), SCMP_CMP_EQ, family);
  }
  return error;
}

// New threads, but no new processes. What clone3() is asked for cannot be seen: without it the C
// library uses clone().
int deny_new_processes(scmp_filter_ctx filter) {
  const int error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  if (error != 0) return error;
  return deny_when(filter, SCMP_SYS(clone), SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0);
}

Error cannot(int error) { return {std::string("seccomp: ") + std::strerror(-error)}; }

}  // namespace

Result<void> enter_sandbox() {
  if (kIsSanitized)
    return failure(std::string("seccomp: a build with a sanitizer runs without it"));
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW));
  if (!filter) return failure(cannot(-ENOMEM));
  int error = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  for (const int call : kDenied) {
    if (error == 0) error = seccomp_rule_add(filter.get(), kRefuse, call, 0);
  }
  if (error == 0) error = deny_odd_sockets(filter.get());
  if (error == 0) error = deny_new_processes(filter.get());
  if (error == 0) error = seccomp_load(filter.get());
  if (error != 0) return failure(cannot(error));
  return {};
}

}  // namespace agent::cli
