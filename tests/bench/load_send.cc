// load_send: sends a file of lines to a Unix stream socket as fast as it is taken, reading what
// comes back, and waits until the receiver has closed: load_send SOCKET FILE [CHUNK]. Prints the
// replies counted.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <thread>

namespace {

int connect_to(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  return connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? fd : -1;
}

std::span<const char> map(const char* path) {
  const int fd = open(path, O_RDONLY);
  struct stat status {};
  if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0) return {};
  const auto size = static_cast<std::size_t>(status.st_size);
  void* bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  return bytes == MAP_FAILED ? std::span<const char>()
                             : std::span(static_cast<const char*>(bytes), size);
}

long count_replies(int fd) {
  static std::array<char, 65536> buffer;
  long lines = 0;
  for (ssize_t got = 0; (got = read(fd, buffer.data(), buffer.size())) > 0;) {
    lines += std::count(buffer.begin(), buffer.begin() + got, '\n');
  }
  return lines;
}

bool write_all(int fd, std::span<const char> bytes, std::size_t chunk) {
  while (!bytes.empty()) {
    const ssize_t sent = write(fd, bytes.data(), std::min(chunk, bytes.size()));
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return shutdown(fd, SHUT_WR) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fputs("usage: load_send SOCKET FILE [CHUNK]\n", stderr), 2;
  const auto bytes = map(argv[2]);
  if (bytes.empty()) return std::perror(argv[2]), 1;
  const int fd = connect_to(argv[1]);
  if (fd < 0) return std::perror(argv[1]), 1;
  long replies = 0;
  std::thread reader([&] { replies = count_replies(fd); });
  const bool sent = write_all(fd, bytes, argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 65536);
  if (!sent) std::perror("write");
  reader.join();
  std::printf("{\"replies\":%ld}\n", replies);
  return sent ? 0 : 1;
}
