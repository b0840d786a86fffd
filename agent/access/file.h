// Files that may change while the agent runs: their text, and a stamp that tells whether they did.
// Any thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "agent/result.h"

namespace agent::access {

// Certificates, keys, tokens: nobody has larger ones.
inline constexpr std::size_t kMostFileBytes = 1024 * 1024;

// Its whole text; the error names the path. Only regular files, of kMostFileBytes at most.
Result<std::string> read_file(const std::string& path);

// Differs once a file was written or another was put in its place (as Kubernetes does with Secrets,
// by a symbolic link). A file that is not there has one, too.
struct Stamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = -1;
  std::int64_t modified_ns = 0, changed_ns = 0;
  bool operator==(const Stamp&) const = default;
};
Stamp stamp_of(const std::string& path);

// Files that somebody is going to read; tells later whether it is time to read them again.
class Watch {
 public:
  // Before the file is read: a change meanwhile is seen then.
  void add(const std::string& path) { files_.emplace_back(path, stamp_of(path)); }
  [[nodiscard]] bool has_changed() const;

 private:
  std::vector<std::pair<std::string, Stamp>> files_;
};

}  // namespace agent::access
