// Sandbox: what the process denies itself once it runs, so that whoever takes it over gains little:
// no other program, no other process's memory, no unusual sockets (seccomp). For `serve` and
// `demo`, which need none of it; main thread.
#pragma once

#include "agent/result.h"

namespace agent::cli {

// Holds for all threads, from now on and for ever. The error says why the kernel would not. A build
// with a sanitizer, which needs some of what is denied, leaves it out.
Result<void> enter_sandbox();

}  // namespace agent::cli
