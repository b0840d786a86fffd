#include "agent/wire/socket_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>
#include <system_error>
#include <utility>

#include "agent/wire/text.h"

namespace agent::wire {
namespace {

constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;  // bytes

std::string reason(int error) { return std::generic_category().message(error); }

int native(SocketType type) {
  return (type == SocketType::kStream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(static_cast<char*>(address.sun_path), path.data(), std::min(path.size(), kMaxPath));
  return address;
}

// bind() or connect(), by path; 0 or the error.
template <typename Call>
int with_address(Call call, int fd, const std::string& path) {
  const sockaddr_un address = address_of(path);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  return call(fd, generic, sizeof address) == 0 ? 0 : errno;
}

Error cannot(const std::string& path, std::string_view why) {
  return {concat({"cannot listen on ", path, ": ", why})};
}

// Why the socket file that is there must stay; empty when nobody listens on it.
std::optional<std::string> objection(const std::string& path, SocketType type) {
  const Descriptor probe(::socket(AF_UNIX, native(type), 0));
  const int error = with_address(::connect, probe.get(), path);
  if (error == ECONNREFUSED) return std::nullopt;
  if (error == 0 || error == EAGAIN || error == EPROTOTYPE) {
    return "another process listens there; stop it, or choose another path";
  }
  return concat({"the socket that is there cannot be probed (", reason(error),
                 "); remove it, or choose another path"});
}

// Takes away what a killed agent left; refuses to take away anything else.
Result<void> make_way(const std::string& path, SocketType type) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) {
    if (errno == ENOENT) return {};
    return failure(cannot(path, reason(errno)));
  }
  if (!S_ISSOCK(there.st_mode)) {
    return failure(
        cannot(path, "there is something that is not a socket; remove it, or choose another path"));
  }
  if (const auto why = objection(path, type)) return failure(cannot(path, *why));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return failure(cannot(path, concat({"the stale socket cannot be removed: ", reason(errno)})));
  }
  return {};
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The socket's folder, made if it is missing; none that can be opened: bind() says why.
Descriptor open_folder(const std::string& path) {
  constexpr mode_t kFolderMode = 0755;
  const std::string folder = folder_of(path);
  ::mkdir(folder.c_str(), kFolderMode);
  return Descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

// Two agents that start at once must not take each other's socket, bound and not listened on yet,
// for one that is left over: the second waits. Only for so long, lest somebody else who holds the
// folder kept the agent from starting.
void take_turn(const Descriptor& folder) {
  constexpr int kTries = 100;
  constexpr timespec kBetween = {0, 10'000'000};
  for (int i = 0; i < kTries && ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0; ++i) {
    if (errno != EWOULDBLOCK) break;
    ::nanosleep(&kBetween, nullptr);
  }
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int Descriptor::release() { return std::exchange(fd_, -1); }

void Descriptor::reset() {
  if (const int fd = release(); fd >= 0) ::close(fd);
}

SocketFile::SocketFile(std::string path, Descriptor socket)
    : path_(std::move(path)), socket_(std::move(socket)) {
  struct stat made {};
  if (::lstat(path_.c_str(), &made) == 0) {
    device_ = made.st_dev;
    inode_ = made.st_ino;
  }
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      socket_(std::move(other.socket_)),
      device_(other.device_),
      inode_(other.inode_) {}

void SocketFile::remove() {
  const std::string path = std::exchange(path_, {});
  struct stat there {};
  if (path.empty() || ::lstat(path.c_str(), &there) != 0) return;
  if (there.st_dev == device_ && there.st_ino == inode_) ::unlink(path.c_str());
}

Result<SocketFile> SocketFile::bind(std::string path, SocketType type, mode_t mode) {
  if (path.size() > kMaxPath) {
    return failure(
        cannot(path, concat({"the path of a socket has at most ", std::to_string(kMaxPath),
                             " bytes; choose a shorter one"})));
  }
  const Descriptor folder = open_folder(path);
  take_turn(folder);
  if (auto way = make_way(path, type); !way) return failure(std::move(way.error()));
  Descriptor socket(::socket(AF_UNIX, native(type), 0));
  if (socket.get() < 0) return failure(cannot(path, reason(errno)));
  // The file is made with the socket's own mode less the umask, never with more than `mode`.
  ::fchmod(socket.get(), mode);
  if (const int error = with_address(::bind, socket.get(), path); error != 0) {
    return failure(cannot(path, reason(error)));
  }
  SocketFile file(std::move(path), std::move(socket));
  if (type == SocketType::kStream && ::listen(file.socket_.get(), SOMAXCONN) != 0)
    return failure(cannot(file.path(), reason(errno)));
  // Not through a link that somebody has put there meanwhile.
  if (::fchmodat(AT_FDCWD, file.path().c_str(), mode, AT_SYMLINK_NOFOLLOW) != 0) {
    return failure(cannot(file.path(), concat({"its mode cannot be set: ", reason(errno)})));
  }
  return file;
}

bool is_allowed(const std::vector<uid_t>& allowed, uid_t uid) {
  return allowed.empty() || std::find(allowed.begin(), allowed.end(), uid) != allowed.end();
}

}  // namespace agent::wire
