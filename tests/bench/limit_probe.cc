// limit_probe: what one thread can do at best with a load, so that the agent's cost can be said as
// a share of it whatever the machine: limit_probe FILE. A child writes FILE into a socket pair;
// this process reads 256 KiB at a time, parses with simdjson, finds session and file in hash maps,
// and keeps the totals of a session. No checks, clocks, windows, histograms or errors: nothing that
// an agent is for. Prints one JSON object: the lines applied, and the CPU seconds of this process
// for a million of them.
#include <simdjson.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_map.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

struct File {
  std::int64_t bytes = 0;
  double progress = 0;
  unsigned char status = 0;
};

struct Session {
  boost::unordered_flat_map<std::string, File, Hash, std::equal_to<>> files;
  std::array<long, 16> by_status{};
  std::int64_t bytes = 0, tokens = 0;
  double cost = 0, progress = 0;
};

using Sessions = boost::unordered_map<std::string, Session, Hash, std::equal_to<>>;

struct Report {
  std::string_view session, file, status;
  std::int64_t bytes = 0, tokens = 0;
  double ts = 0, progress = 0, cost = 0;
};

// Throws simdjson_error when a value has another type.
Report decode(simdjson::ondemand::object object) {
  Report r;
  for (auto field : object) {
    const std::string_view key = field.unescaped_key();
    if (key == "session")
      r.session = field.value();
    else if (key == "file")
      r.file = field.value();
    else if (key == "status")
      r.status = field.value();
    else if (key == "ts")
      r.ts = field.value();
    else if (key == "progress")
      r.progress = field.value();
    else if (key == "bytes")
      r.bytes = field.value();
    else if (key == "tokens")
      r.tokens = field.value();
    else if (key == "cost")
      r.cost = field.value();
  }
  return r;
}

template <typename Map>
typename Map::mapped_type& entry(Map& map, std::string_view key) {
  auto found = map.find(key);
  return found != map.end()
             ? found->second
             : map.emplace(std::string(key), typename Map::mapped_type{}).first->second;
}

void add_to(Sessions& sessions, const Report& r) {
  Session& session = entry(sessions, r.session);
  File& file = entry(session.files, r.file);
  const auto status = static_cast<unsigned char>(r.status.empty() ? 0 : r.status.front() & 15);
  --session.by_status[file.status];
  ++session.by_status[status];
  session.bytes += r.bytes - file.bytes;
  session.progress += r.progress - file.progress;
  session.tokens += r.tokens;
  session.cost += r.cost;
  file = {r.bytes, r.progress, status};
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Forks a writer of `bytes`; returns the descriptor to read from.
int feed(const std::string& bytes) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) std::abort();
  if (fork() != 0) return close(ends[1]), ends[0];
  close(ends[0]);
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t n =
        write(ends[1], bytes.data() + sent, std::min<std::size_t>(65536, bytes.size() - sent));
    if (n <= 0) _exit(1);
    sent += static_cast<std::size_t>(n);
  }
  _exit(0);
}

// Reads and applies until the end; returns the lines applied.
long consume(int fd, Sessions& sessions) {
  constexpr std::size_t kRead = 256UL * 1024;
  std::vector<char> buffer(kRead + 65536 + simdjson::SIMDJSON_PADDING);
  simdjson::ondemand::parser parser;
  std::size_t held = 0;
  long lines = 0;
  for (ssize_t got = 0; (got = read(fd, buffer.data() + held, kRead)) > 0;) {
    held += static_cast<std::size_t>(got);
    const auto* last = static_cast<const char*>(memrchr(buffer.data(), '\n', held));
    if (last == nullptr) continue;
    const auto whole = static_cast<std::size_t>(last + 1 - buffer.data());
    simdjson::ondemand::document_stream documents;
    if (parser.iterate_many(buffer.data(), whole, std::max<std::size_t>(whole, 4096))
            .get(documents))
      std::abort();
    for (auto document : documents) {
      add_to(sessions, decode(document.get_object()));
      ++lines;
    }
    held -= whole;
    std::memmove(buffer.data(), buffer.data() + whole, held);
  }
  return lines;
}

}  // namespace

int main(int argc, char** argv) {
  std::ifstream file(argc > 1 ? argv[1] : "", std::ios::binary);
  if (!file) return std::fputs("usage: limit_probe FILE\n", stderr), 2;
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  const int fd = feed(bytes);
  Sessions sessions;
  const double before = cpu_seconds();
  const long lines = consume(fd, sessions);
  const double used = cpu_seconds() - before;
  wait(nullptr);
  std::printf("{\"applied\":%ld,\"cpu_s_per_million\":%.4f}\n", lines,
              used * 1e6 / static_cast<double>(lines));
  return 0;
}
