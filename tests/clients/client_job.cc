// A job that reports through the C++ client while its test kills it, or the agent.
//
//   client_job count PRODUCER N   one event an item, from where the agent says this producer is, to
//                                 N; prints that number first, then each tenth once acknowledged
//   client_job storm BYTES        reports until a line comes in, with a buffer of that size; then
//                                 prints how many items it made and what became of its events
//   client_job many N             N sessions, each started and ended
//   client_job fork N             N children, each reports a file of the parent's session, while a
//                                 thread of the parent reports too
// `storm` and `many` then wait for another line.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include "agent/clients/cpp/progress_agent.h"

namespace {

using progress_agent::Client;
using progress_agent::Fields;
using progress_agent::Options;
using progress_agent::Session;

void print(std::uint64_t number) {
  std::printf("%llu\n", static_cast<unsigned long long>(number));
  std::fflush(stdout);
}

int count(const std::string& producer, std::uint64_t items) {
  Options options;
  options.producer = producer;
  Client client(options);
  if (!client.connect()) return 1;
  const std::uint64_t first = client.last_seq().value_or(0);
  print(first);
  for (std::uint64_t number = first; number < items; ++number) {
    client.emit("api", "killed", Fields().flag("ok", true));
    if (number % 10 != 0) continue;
    if (!client.flush()) return 1;
    print(number + 1);
  }
  return client.flush() ? 0 : 1;
}

bool is_line_in() {
  pollfd input{0, POLLIN, 0};
  return ::poll(&input, 1, 0) != 0;
}

void print_statistics(Client& client) {
  const auto statistics = client.statistics();
  for (const std::uint64_t number : {statistics.made, statistics.acknowledged, statistics.refused,
                                     statistics.dropped, statistics.connections}) {
    print(number);
  }
}

int storm(std::size_t buffer_bytes) {
  Options options;
  options.buffer_bytes = buffer_bytes;
  Client client(options);
  Session job(client, "storm",
              Fields().text("name", "Storm \"quoted\"\n").number("totalFiles", 1000000));
  std::uint64_t items = 0;
  while (!is_line_in()) {
    ++items;
    job.file(std::to_string(items), "completed");
    job.api(true);
    if (items % 5 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::getchar();
  const bool is_told = client.flush(std::chrono::seconds(60));
  print(items);
  print_statistics(client);
  std::getchar();
  return is_told ? 0 : 1;
}

int many(int sessions) {
  Options options;
  options.buffer_bytes = 100000;
  Client client(options);
  for (int i = 0; i < sessions; ++i) {
    Session(client, "many-" + std::to_string(i)).end();
    if (i % 100 == 0 && !client.flush()) return 1;  // what is dropped is dropped after it was told
  }
  const bool is_told = client.flush();
  print_statistics(client);
  std::getchar();
  return client.flush() && is_told ? 0 : 1;
}

int fork_children(int children) {
  Client client;
  Session job(client, "forked", Fields().number("totalFiles", children));
  std::thread beside([&job] {
    for (int i = 0; i < 300; ++i) job.api(true);
  });
  for (int i = 0; i < children; ++i) {
    if (::fork() != 0) continue;
    job.file(std::to_string(i), "completed");
    ::_exit(client.flush() ? 0 : 1);  // neither this session nor the thread is the child's
  }
  bool is_told = true;
  for (int i = 0; i < children; ++i) {
    int status = 0;
    is_told = ::wait(&status) > 0 && status == 0 && is_told;
  }
  beside.join();
  job.end();
  return client.flush() && is_told ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "count" && argc == 4) return count(argv[2], std::strtoull(argv[3], nullptr, 10));
  if (what == "storm" && argc == 3) return storm(std::strtoull(argv[2], nullptr, 10));
  if (what == "many" && argc == 3) return many(std::atoi(argv[2]));
  if (what == "fork" && argc == 3) return fork_children(std::atoi(argv[2]));
  std::fprintf(stderr, "usage: client_job count PRODUCER N | storm BYTES | many N | fork N\n");
  return 2;
}
