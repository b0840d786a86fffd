// progress-agent: the program. What it can do is the table in cli/command.cc.
#include <malloc.h>

#include "agent/cli/command.h"

int main(int argc, char** argv) {
  // Large blocks (a request's body, a page) go back to the system when they are freed. Left to
  // itself the allocator learns to keep them: one large request would then cost its size for good.
  mallopt(M_MMAP_THRESHOLD, 256 * 1024);
  return agent::cli::run({argv + 1, argv + argc});
}
