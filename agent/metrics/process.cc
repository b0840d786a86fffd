#include "agent/metrics/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

namespace agent::metrics {
namespace {

constexpr int kReadFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

std::optional<double> cpu_seconds() {
  timespec used{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0) return std::nullopt;
  constexpr std::int64_t kPerSecond = 1'000'000'000;
  return static_cast<double>(used.tv_sec * kPerSecond + used.tv_nsec) / kPerSecond;
}

std::optional<std::uint64_t> limit(__rlimit_resource resource) {
  rlimit limits{};
  if (getrlimit(resource, &limits) != 0 || limits.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limits.rlim_cur;
}

// How many files are open. `folder` is the process's /proc/self/fd. Since Linux 6.2 its size is
// their number; before that it is 0, and they are counted.
std::optional<std::uint64_t> open_files(int folder) {
  struct stat about {};
  if (folder < 0 || fstat(folder, &about) != 0) return std::nullopt;
  if (about.st_size > 0) return static_cast<std::uint64_t>(about.st_size);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(fdopendir(openat(folder, ".", kReadFolder)),
                                                    closedir);
  if (!entries) return std::nullopt;
  std::uint64_t count = 0;
  while (const dirent* entry = readdir(entries.get())) {
    if (entry->d_name[0] != '.') ++count;
  }
  return count - 1;  // without the one that is reading
}

// The number in field `n` of a line of fields, counted from 0.
std::optional<std::uint64_t> field(std::string_view line, std::size_t n) {
  for (; n > 0; --n) {
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    line.remove_prefix(blank + 1);
  }
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), value);
  return parsed.ec == std::errc() ? std::optional(value) : std::nullopt;
}

// When the system booted, in Unix seconds.
std::optional<std::uint64_t> boot_time() {
  std::ifstream stat("/proc/stat");
  for (std::string line; std::getline(stat, line);) {
    if (line.starts_with("btime ")) return field(line, 1);
  }
  return std::nullopt;
}

std::optional<double> process_start_time() {
  std::ifstream stat("/proc/self/stat");
  std::string line;
  std::getline(stat, line);
  const std::size_t end_of_name = line.rfind(") ");  // the name may hold blanks and parentheses
  if (end_of_name == std::string::npos) return std::nullopt;
  constexpr std::size_t kStartTime = 22 - 3;  // field 22 of proc(5); after the name comes field 3
  const auto ticks = field(std::string_view(line).substr(end_of_name + 2), kStartTime);
  const auto booted = boot_time();
  if (!ticks || !booted) return std::nullopt;
  return static_cast<double>(*booted) +
         static_cast<double>(*ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

ProcessProbe::ProcessProbe()
    : statm_(open("/proc/self/statm", O_RDONLY | O_CLOEXEC)),
      open_files_(open("/proc/self/fd", kReadFolder)),
      start_time_(process_start_time()) {}

ProcessProbe::~ProcessProbe() {
  for (const int file : {statm_, open_files_}) {
    if (file >= 0) close(file);
  }
}

ProcessUsage ProcessProbe::read() const {
  ProcessUsage usage{.cpu_seconds = cpu_seconds(),
                     .resident_bytes = std::nullopt,
                     .virtual_bytes = std::nullopt,
                     .virtual_max_bytes = limit(RLIMIT_AS),
                     .open_fds = open_files(open_files_),
                     .max_fds = limit(RLIMIT_NOFILE),
                     .start_time = start_time_};
  std::array<char, 256> line;
  const ssize_t size = statm_ < 0 ? -1 : pread(statm_, line.data(), line.size(), 0);
  if (size <= 0) return usage;
  const std::string_view pages(line.data(), static_cast<std::size_t>(size));
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  if (const auto all = field(pages, 0)) usage.virtual_bytes = *all * page;
  if (const auto resident = field(pages, 1)) usage.resident_bytes = *resident * page;
  return usage;
}

}  // namespace agent::metrics
