#include "agent/workload/reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "agent/workload/kernel_files.h"

namespace agent::workload {
namespace {

constexpr std::size_t kLongestName = 15;  // what the kernel keeps of a process's name
constexpr std::size_t kMostBytes = 64 << 10;

Result<std::string> read_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return failure("cannot read " + path + ": " + std::strerror(errno));
  std::string text(kMostBytes, '\0');
  std::size_t size = 0;
  ssize_t got = 0;
  while (size < text.size() && (got = ::read(file, &text[size], text.size() - size)) > 0)
    size += static_cast<std::size_t>(got);
  const int fault = errno;
  ::close(file);
  if (got < 0) return failure("cannot read " + path + ": " + std::strerror(fault));
  text.resize(size);
  return text;
}

// A file that may be missing, as a limit where there is none.
std::string text_of(const std::string& path) { return read_file(path).value_or(std::string()); }

std::string_view without_newline(std::string_view text) { return text.substr(0, text.find('\n')); }

}  // namespace

Usage Reader::read(SteadyInstant now) {
  Usage usage;
  std::string folder = source_.cgroup, network = source_.proc + "/net/dev";
  if (!source_.process.empty()) {
    const auto process = find_process();
    if (!process) {
      usage.fault = process.error().message;
      return usage;
    }
    if (folder.empty()) folder = *process + "/root/sys/fs/cgroup";
    network = *process + "/net/dev";
  }
  if (auto read = read_cgroup(folder, now, usage.resources); !read)
    usage.fault = std::move(read.error().message);
  if (const auto counts = network_counts(text_of(network))) {
    usage.resources.network_rx_bytes = counts->rx_bytes;
    usage.resources.network_tx_bytes = counts->tx_bytes;
    usage.resources.network_errors = counts->errors;
  }
  return usage;
}

Result<std::string> Reader::find_process() {
  const std::string_view wanted = std::string_view(source_.process).substr(0, kLongestName);
  const auto is_it = [&](const std::string& folder) {
    const auto name = read_file(folder + "/comm");
    return name && without_newline(*name) == wanted;
  };
  if (!process_.empty() && is_it(process_)) return process_;
  const std::unique_ptr<DIR, int (*)(DIR*)> all(::opendir(source_.proc.c_str()), ::closedir);
  if (!all) return failure("cannot list " + source_.proc + ": " + std::strerror(errno));
  std::int64_t first = 0;
  while (const dirent* entry = ::readdir(all.get())) {
    const auto id = amount(entry->d_name);
    if (!id || (first != 0 && *id > first)) continue;
    if (is_it(source_.proc + "/" + entry->d_name)) first = *id;
  }
  if (first == 0) {
    return failure("no process in " + source_.proc + " is called '" + std::string(wanted) +
                   "': does the Pod share its process namespace (shareProcessNamespace)?");
  }
  process_ = source_.proc + "/" + std::to_string(first);
  return process_;
}

Result<void> Reader::read_cgroup(const std::string& folder, SteadyInstant now,
                                 progress::Resources& into) {
  const auto current = read_file(folder + "/memory.current");
  if (!current) return failure(current.error());
  if (const auto used = amount(*current)) {
    // What the kernel gives back before it ends the job counts for nothing.
    const auto given_back = keyed_amount(text_of(folder + "/memory.stat"), "inactive_file");
    into.memory_bytes = std::max<std::int64_t>(0, *used - given_back.value_or(0));
  }
  into.memory_limit_bytes = amount(text_of(folder + "/memory.max"));
  into.cpu_limit_cores = cpu_limit(text_of(folder + "/cpu.max"));
  const auto burned = keyed_amount(text_of(folder + "/cpu.stat"), "usage_usec");
  if (!burned) return {};
  const auto before = std::exchange(burned_, Burned{now, *burned, folder});
  if (!before || before->folder != folder || now <= before->at) return {};
  into.cpu_cores = static_cast<double>(std::max<std::int64_t>(0, *burned - before->microseconds)) /
                   static_cast<double>((now - before->at).count());
  return {};
}

}  // namespace agent::workload
