#include "agent/access/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace agent::access {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return time.tv_sec * kSecond + time.tv_nsec;
}

Result<std::string> text_of(int fd, const std::string& path) {
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0)
    return failure("cannot read " + path + ": " + std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return failure("cannot read " + path + ": it is no regular file");
  std::string text(kMostFileBytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure("cannot read " + path + ": " + std::strerror(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMostFileBytes) return failure(path + " is larger than 1 MiB: it is something else");
  return std::string(text, 0, size);
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  // Not waiting for a writer, should it be a pipe.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  auto text = text_of(fd, path);
  if (fd >= 0) ::close(fd);
  return text;
}

Stamp stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

bool Watch::has_changed() const {
  return std::ranges::any_of(files_,
                             [](const auto& file) { return stamp_of(file.first) != file.second; });
}

}  // namespace agent::access
