// load_gen: writes the load that every figure of this folder is measured with, as NDJSON events, to
// standard output. Deterministic but for the time of its events, which end now.
//
// Many workers report at once: line k belongs to session k mod SESSIONS, and each file of a session
// goes through ROUNDS reports: processing with rising progress, then completed with its size,
// tokens and cost. With one round every file stays in flight. The usual million is 100 sessions x
// 1,000 files x 10 rounds, about 160 bytes a line.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

struct Load {
  long sessions = 0, files = 0, rounds = 0;
  std::string config;  // JSON of `session.start`'s mode and config; empty: no such event is sent
};

constexpr double kSpanSeconds = 3000;  // the time that the whole load covers

double unix_seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void write_starts(const Load& load, double start) {
  for (long session = 0; session < load.sessions; ++session) {
    std::printf(R"({"event":"session.start","ts":%.3f,"session":"load-%03ld","totalFiles":%ld,%s})"
                "\n",
                start, session, load.files, load.config.c_str());
  }
}

// One report of one file; `round` counts from 0.
void write_report(const Load& load, double ts, long session, long file, long round) {
  const long bytes = 1000 + (file * 7907 + session * 104'711) % 8'000'000;
  std::printf(R"({"event":"file","ts":%.3f,"session":"load-%03ld","file":"file-%05ld.pdf",)", ts,
              session, file);
  if (round + 1 == load.rounds && load.rounds > 1) {
    std::printf(R"("status":"completed","progress":100,"bytes":%ld,"tokens":%ld,"cost":%.4f})",
                bytes, 400 + bytes % 3001, 0.001 * static_cast<double>(bytes % 101));
  } else {
    const long done = load.rounds > 1 ? 100 * round / (load.rounds - 1) : 0;
    std::printf(R"("status":"processing","progress":%ld,"stage":"%s","bytes":%ld})", done,
                2 * round < load.rounds ? "parsing" : "embedding", bytes);
  }
  std::putchar('\n');
}

void write_load(const Load& load) {
  const long lines = load.sessions * load.files * load.rounds;
  const double start = unix_seconds_now() - kSpanSeconds - 1;
  if (!load.config.empty()) write_starts(load, start);
  for (long line = 0; line < lines; ++line) {
    const long session = line % load.sessions, report = line / load.sessions;
    const double ts = start + kSpanSeconds * static_cast<double>(line) / static_cast<double>(lines);
    write_report(load, ts, session, report / load.rounds, report % load.rounds);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Load load;
  if (argc >= 4) {
    load = {std::atol(argv[1]), std::atol(argv[2]), std::atol(argv[3]), argc > 4 ? argv[4] : ""};
  }
  if (load.sessions < 1 || load.files < 1 || load.rounds < 1) {
    std::fputs(
        "usage: load_gen SESSIONS FILES ROUNDS [CONFIG]   e.g. load_gen 100 1000 10 "
        "'\"mode\":\"basic\"'\n",
        stderr);
    return 2;
  }
  write_load(load);
  return std::fflush(stdout) == 0 ? 0 : 1;
}
