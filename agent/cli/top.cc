// `top`: the sessions of a running agent in a terminal, live; once and without control sequences
// where there is no terminal.
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "agent/access/config.h"
#include "agent/cli/board.h"
#include "agent/cli/command.h"
#include "agent/cli/fetch.h"
#include "agent/cli/output.h"
#include "agent/clock.h"
#include "agent/settings/load.h"

namespace agent::cli {
namespace {

constexpr auto kRefresh = std::chrono::milliseconds(1000);
constexpr std::size_t kDefaultColumns = 120;
constexpr int kKeyEscape = 27, kKeyDelete = 127, kKeyBackspace = 8;

volatile std::sig_atomic_t has_to_end = 0;

std::string escaped(std::string_view id) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : id) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return out;
}

// What is asked of the agent.
class Source {
 public:
  explicit Source(notify::Endpoint site) : site_(std::move(site)) {}

  Result<std::vector<BoardSession>> sessions() const {
    std::vector<BoardSession> all;
    std::string cursor;
    do {
      auto json = fetch(
          site_, "/v1/sessions?limit=1000" + (cursor.empty() ? "" : "&cursor=" + escaped(cursor)));
      if (!json) return failure(std::move(json.error()));
      auto page = read_sessions(*json);
      if (!page) return failure(std::move(page.error()));
      std::ranges::move(page->sessions, std::back_inserter(all));
      cursor = page->next;
    } while (!cursor.empty());
    return all;
  }
  // One session by its id, and its files in flight; empty: it is gone.
  Result<std::vector<BoardSession>> session(const std::string& id,
                                            std::vector<BoardFile>& files) const {
    auto json = fetch(site_, "/v1/sessions/" + escaped(id));
    if (!json) return failure(std::move(json.error()));
    auto page = read_sessions(*json);
    if (!page) return failure(std::move(page.error()));
    files.clear();
    if (const auto list =
            fetch(site_, "/v1/sessions/" + escaped(id) + "/files?status=processing&limit=20")) {
      if (auto read = read_files(*list)) files = *std::move(read);
    }
    return std::move(page->sessions);
  }
  Result<std::string> json() const { return fetch(site_, "/v1/sessions?limit=1000"); }
  [[nodiscard]] std::string name() const { return site_.shown(); }

 private:
  notify::Endpoint site_;
};

struct Choice {
  BoardOrder order = BoardOrder::kState;
  bool is_reversed = false;
  std::string wanted;  // the filter
};

Screen screen_now() {
  winsize size{};
  Screen screen{.columns = kDefaultColumns, .lines = 0, .has_colour = false};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    screen.columns = size.ws_col;
    screen.lines = size.ws_row;
  }
  const char* no_colour = std::getenv("NO_COLOR");
  screen.has_colour = isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == 0);
  return screen;
}

// The terminal as keys and a whole screen; as it was before when this goes.
class Terminal {
 public:
  Terminal() {
    tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    print("\x1b[?1049h\x1b[?25l");
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    print("\x1b[?25h\x1b[?1049l");
    tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

  static void show(const std::vector<std::string>& lines) {
    std::string out = "\x1b[H";
    for (std::size_t i = 0; i < lines.size(); ++i)
      out += (i == 0 ? "" : "\r\n") + lines[i] + "\x1b[K";
    print(out + "\x1b[J");
  }
  // The keys pressed within `time`: empty when none was.
  static std::string keys(std::chrono::milliseconds time) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, static_cast<int>(time.count())) <= 0) return {};
    std::array<char, 64> bytes;
    const ssize_t got = read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got <= 0) has_to_end = 1;
    return got > 0 ? std::string(bytes.data(), static_cast<std::size_t>(got)) : std::string();
  }

 private:
  termios before_{};
};

// How much of what was typed is the first key: an arrow is three bytes.
std::size_t key_length(std::string_view keys) {
  constexpr std::size_t kArrow = 3;
  return keys.starts_with("\x1b[") ? std::min(keys.size(), kArrow) : 1;
}

class Live {
 public:
  Live(const Source& source, Choice choice) : source_(source), choice_(std::move(choice)) {}

  void run() {
    auto next = clock_.now().steady;
    while (has_to_end == 0) {
      const auto now = clock_.now().steady;
      if (now >= next) {
        refresh();
        next = now + kRefresh;
      }
      draw();
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next - now);
      const std::string typed = Terminal::keys(left);
      for (std::string_view keys = typed; !keys.empty();) {
        const std::string key(keys.substr(0, key_length(keys)));
        keys.remove_prefix(key.size());
        if (obey(key)) next = clock_.now().steady;
      }
    }
  }

 private:
  void refresh() {
    auto fresh = open_.empty() ? source_.sessions() : source_.session(open_, files_);
    fault_ = fresh ? "" : fresh.error().message;
    if (!fresh) return;
    sessions_ = *std::move(fresh);
    arrange();
  }

  void arrange() {
    if (!open_.empty()) return;
    const std::string chosen = selected_ < shown_.size() ? shown_[selected_].id : "";
    shown_ = sessions_;
    filter(shown_, choice_.wanted);
    sort(shown_, choice_.order, choice_.is_reversed);
    const auto same = std::ranges::find(shown_, chosen, &BoardSession::id);
    if (same != shown_.end()) selected_ = static_cast<std::size_t>(same - shown_.begin());
    selected_ = std::min(selected_, shown_.empty() ? 0 : shown_.size() - 1);
  }

  void draw() const {
    Screen screen = screen_now();
    constexpr std::size_t kFrame = 3, kDefaultLines = 24;
    if (screen.lines == 0) screen.lines = kDefaultLines;
    screen.lines = screen.lines > kFrame + 2 ? screen.lines - kFrame : 2;
    std::vector<std::string> lines = {headline(), ""};
    const bool is_open = !open_.empty() && !sessions_.empty();
    auto body =
        is_open ? detail(sessions_[0], files_, screen) : overview(shown_, selected_, screen);
    std::ranges::move(body, std::back_inserter(lines));
    while (lines.size() < screen.lines + 2) lines.emplace_back();
    lines.push_back(is_typing_ ? "filter: " + choice_.wanted + "_   Enter keep  Esc drop"
                    : is_open  ? "Esc back   q quit"
                              : "↑↓ choose   Enter open   s sort   r reverse   / filter   q quit");
    Terminal::show(lines);
  }

  [[nodiscard]] std::string headline() const {
    std::string out = "progress-agent " + source_.name();
    if (!fault_.empty()) return out + "   NO CONNECTION: " + fault_ + "; trying again";
    if (!open_.empty()) return out;
    const auto running = std::ranges::count_if(
        shown_, [](const BoardSession& s) { return s.remaining_ms.has_value(); });
    out += "   " + std::to_string(shown_.size()) +
           (shown_.size() == 1 ? " session, " : " sessions, ") + std::to_string(running) +
           " running   by " +
           std::string(kBoardOrderNames[static_cast<std::size_t>(choice_.order)]);
    if (choice_.is_reversed) out += " reversed";
    if (!choice_.wanted.empty()) out += "   filter: " + choice_.wanted;
    return out;
  }

  // True: ask the agent at once.
  bool obey(const std::string& keys) {
    if (is_typing_) return type(keys);
    if (keys == "q") has_to_end = 1;
    if (keys == "\x1b[A" || keys == "k") selected_ -= selected_ > 0 ? 1 : 0;
    if (keys == "\x1b[B" || keys == "j") selected_ += selected_ + 1 < shown_.size() ? 1 : 0;
    const bool is_back = keys == std::string(1, static_cast<char>(kKeyEscape)) ||
                         keys == "\x1b[D" || keys[0] == kKeyDelete || keys[0] == kKeyBackspace;
    if (is_back && !open_.empty()) {
      open_.clear();
      return true;
    }
    if ((keys == "\n" || keys == "\r" || keys == "\x1b[C") && open_.empty() &&
        selected_ < shown_.size()) {
      open_ = shown_[selected_].id;
      sessions_.assign(1, shown_[selected_]);
      return true;
    }
    if (keys == "s")
      choice_.order = static_cast<BoardOrder>((static_cast<std::size_t>(choice_.order) + 1) %
                                              std::size(kBoardOrderNames));
    if (keys == "r") choice_.is_reversed = !choice_.is_reversed;
    if (keys == "/" && open_.empty()) is_typing_ = true;
    arrange();
    return false;
  }

  bool type(const std::string& keys) {
    if (keys[0] == kKeyEscape) {
      choice_.wanted.clear();
      is_typing_ = false;
    } else if (keys == "\n" || keys == "\r") {
      is_typing_ = false;
    } else if (keys[0] == kKeyDelete || keys[0] == kKeyBackspace) {
      if (!choice_.wanted.empty()) choice_.wanted.pop_back();
    } else {
      choice_.wanted += keys;
    }
    arrange();
    return false;
  }

  const SystemClock clock_;
  const Source& source_;
  Choice choice_;
  std::vector<BoardSession> sessions_, shown_;
  std::vector<BoardFile> files_;
  std::string open_, fault_;  // the session drilled into; why the agent did not answer
  std::size_t selected_ = 0;
  bool is_typing_ = false;
};

int once(const Source& source, const Choice& choice, const std::string& id) {
  std::vector<BoardFile> files;
  auto sessions = id.empty() ? source.sessions() : source.session(id, files);
  if (!sessions) {
    complain("top: " + sessions.error().message);
    return kFault;
  }
  Screen screen = screen_now();
  screen.lines = 0;
  filter(*sessions, choice.wanted);
  sort(*sessions, choice.order, choice.is_reversed);
  std::string out;
  const auto lines = id.empty() || sessions->empty() ? overview(*sessions, std::nullopt, screen)
                                                     : detail(sessions->front(), files, screen);
  for (std::string line : lines) {
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return print(out);
}

// Whether the rules at `path` have TLS in them.
bool speaks_tls(const std::string& path) {
  if (path.empty()) return false;
  const auto rules = access::read_config(settings::read_document(path), access::Schema::kWeb);
  return rules && rules->tls;
}

// Where the agent of these settings answers.
std::string own_url(const Invocation& invocation) {
  const auto loaded = settings::load(invocation.given);
  const settings::Web web = (loaded ? *loaded : settings::Settings{}).web;
  const std::string& on = web.listen_address.host;
  const bool is_any = on.empty() || on == "0.0.0.0" || on == "::";
  const bool is_v6 = on.find(':') != std::string::npos;
  const std::string host = is_any ? "localhost" : is_v6 ? "[" + on + "]" : on;
  return (speaks_tls(web.config_file) ? "https://" : "http://") + host + ":" +
         std::to_string(web.listen_address.port);
}

// Where the agent is, and what it asks for; the error is of usage.
Result<notify::Endpoint> site_of(const Invocation& invocation) {
  auto site = site_from(invocation.has("--url") ? invocation.option("--url") : own_url(invocation));
  if (!site) return failure("--url: " + site.error().message);
  if (invocation.has("--username") != invocation.has("--password-file"))
    return failure(std::string("--username and --password-file need each other"));
  if (invocation.has("--username") && invocation.has("--bearer-token-file"))
    return failure(std::string("--username and --bearer-token-file are two ways in: give one"));
  if (invocation.has("--cert-file") != invocation.has("--key-file"))
    return failure(std::string("--cert-file and --key-file need each other"));
  site->ca_file = invocation.option("--ca-file");
  site->cert_file = invocation.option("--cert-file");
  site->key_file = invocation.option("--key-file");
  site->server_name = invocation.option("--server-name");
  site->username = invocation.option("--username");
  site->password_file = invocation.option("--password-file");
  site->bearer_token_file = invocation.option("--bearer-token-file");
  return site;
}

int complain_of_usage(const std::string& what) {
  complain("top: " + what + "; see progress-agent top --help");
  return kUsage;
}

}  // namespace

int top(const Invocation& invocation) {
  const std::string& format = invocation.option("--format");
  const auto* order = std::ranges::find(kBoardOrderNames, invocation.option("--sort"));
  auto site = site_of(invocation);
  if (!site) return complain_of_usage(site.error().message);
  const Source source(*std::move(site));
  const Choice choice{.order = static_cast<BoardOrder>(order - std::begin(kBoardOrderNames)),
                      .is_reversed = false,
                      .wanted = invocation.option("--filter")};
  if (format == "json") {
    const auto json = source.json();
    if (json) return print(*json);
    complain("top: " + json.error().message);
    return kFault;
  }
  const bool is_live =
      !invocation.has("--once") && isatty(STDOUT_FILENO) == 1 && isatty(STDIN_FILENO) == 1;
  if (!is_live || invocation.has("--session"))
    return once(source, choice, invocation.option("--session"));
  struct sigaction action {};
  action.sa_handler = [](int) { has_to_end = 1; };
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaction(number, &action, nullptr);
  const Terminal terminal;
  Live(source, choice).run();
  return kSuccess;
}

}  // namespace agent::cli
