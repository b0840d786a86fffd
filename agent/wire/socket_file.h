// Unix sockets as files: where one may be made, who may use it, and that it goes away. Used by the
// listeners at their start; any thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "agent/result.h"

namespace agent::wire {

enum class SocketType : std::uint8_t { kStream, kDatagram };

// A file descriptor, closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  [[nodiscard]] int get() const { return fd_; }
  int release();
  void reset();

 private:
  int fd_;
};

// A bound socket and its file. The file is removed with its owner, unless somebody has put another
// in its place.
class SocketFile {
 public:
  // Binds a non-blocking socket at `path`, with exactly the permissions `mode`; a stream socket
  // listens. A socket file that nobody listens on is replaced; one in use, and anything that is not
  // a socket (a link to one, too), is refused. Makes the last folder of the path if it is missing.
  static Result<SocketFile> bind(std::string path, SocketType type, mode_t mode);

  ~SocketFile() { remove(); }
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&&) = delete;

  // The socket, from now on the caller's.
  int release() { return socket_.release(); }
  void remove();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  SocketFile(std::string path, Descriptor socket);

  std::string path_;  // empty: nothing to remove
  Descriptor socket_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// Whether a process of this user may talk to a socket; an empty list allows everybody.
[[nodiscard]] bool is_allowed(const std::vector<uid_t>& allowed, uid_t uid);

}  // namespace agent::wire
