#include "agent/settings/load.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>

#include "agent/settings/nearest.h"
#include "agent/settings/reader.h"
#include "agent/settings/table.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to the program

namespace agent::settings {
namespace {

// An open file, closed at the end.
class File {
 public:
  // Not waiting for a writer, should it be a pipe.
  explicit File(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Its text, one byte more than allowed at most; or why there is none.
  Result<std::string> read() const {
    if (descriptor_ < 0) return failure(std::string(std::strerror(errno)));
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) return failure(std::string(std::strerror(errno)));
    if (S_ISDIR(status.st_mode)) return failure(std::string("it is a directory"));
    if (!S_ISREG(status.st_mode)) return failure(std::string("it is no regular file"));
    std::string text(kMaxDocumentBytes + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
      const ssize_t got = ::read(descriptor_, text.data() + size, text.size() - size);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return failure(std::string(std::strerror(errno)));
      if (got == 0) break;
      size += static_cast<std::size_t>(got);
    }
    text.resize(size);
    return text;
  }

 private:
  int descriptor_;
};

// What Kubernetes sets in every Pod for a Service of the agent's name.
bool is_service_link(std::string_view variable) {
  variable.remove_prefix(kVariablePrefix.size());
  return variable == "PORT" || variable.starts_with("PORT_") || variable.starts_with("SERVICE_");
}

bool is_agents(std::string_view variable) { return variable.starts_with(kVariablePrefix); }

// The file that flags or, failing them, the environment name.
std::string config_file_of(const Given& given) {
  std::string path;
  for (const auto& [variable, value] : given.variables) {
    if (variable == variable_of(*find_row("config.file"))) path = value;
  }
  for (const auto& [flag, value] : given.flags) {
    if (flag == flag_of(*find_row("config.file"))) path = value;
  }
  return path;
}

void add_components(std::vector<std::string>& path, std::string_view key) {
  while (!key.empty()) {
    const std::size_t dot = std::min(key.find('.'), key.size());
    if (dot > 0) path.emplace_back(key.substr(0, dot));
    key.remove_prefix(std::min(dot + 1, key.size()));
  }
}

std::vector<std::string> path_of(const Row& row, const Place& place) {
  std::vector<std::string> path;
  const VariablePart* part = variable_part_of(row);
  add_components(path, part == nullptr ? row.key : part->root);
  if (part == nullptr) return path;
  path.push_back(part->is_list() ? std::to_string(place.index) : place.name);
  add_components(path, row.key.substr(part->pattern.size()));
  return path;
}

// Every value there is, by key.
using Values = std::map<std::string, std::string>;
Values values_in(Settings& settings) {
  Values out;
  for (const Row& row : rows()) {
    const VariablePart* part = variable_part_of(row);
    for (const Place& place : part ? part->places(settings) : std::vector<Place>(1)) {
      out.emplace(concrete(row.key, place), value_of(row, settings, place));
    }
  }
  return out;
}

// Takes back, in `fresh`, what cannot change while running.
void keep_until_restart(const Row& row, Settings& old, Settings& fresh) {
  copy(row, old, fresh);
  fresh.sources.erase(std::string(row.key));
  const auto origin = old.sources.find(row.key);
  if (origin != old.sources.end()) fresh.sources.insert(*origin);
}

}  // namespace

Document read_document(const std::string& path) {
  const auto text = File(path).read();
  if (text) return Document::parse(*text, path);
  return Document::unreadable(path, "cannot be read: " + text.error().message);
}

Result<Settings, Faults> from(const Document* document, const Given& given) {
  Reader reader;
  if (document != nullptr) reader.read(*document);
  reader.read_variables(given.variables);
  reader.read_flags(given.flags);
  return std::move(reader).finish();
}

Result<Settings, Faults> load(const Given& given) {
  const std::string path = config_file_of(given);
  if (path.empty()) return from(nullptr, given);
  const Document document = read_document(path);
  return from(&document, given);
}

std::vector<std::pair<std::string, std::string>> environment() {
  std::vector<std::pair<std::string, std::string>> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (!is_agents(text) || equals == std::string_view::npos) continue;
    out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

Faults unknown_variables(const Given& given) {
  std::vector<std::string> known;
  for (const Row& row : rows()) {
    if (has_flag(row)) known.push_back(variable_of(row));
  }
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  Faults out;
  for (const auto& [variable, value] : given.variables) {
    if (!is_agents(variable) || is_service_link(variable)) continue;
    if (std::ranges::find(known, variable) != known.end()) continue;
    out.push_back({{variable, {}}, "is no setting", std::string(nearest(variable, candidates))});
  }
  return out;
}

std::vector<Described> describe(Settings settings) {
  std::vector<Described> out;
  for (const Row& row : rows()) {
    const VariablePart* part = variable_part_of(row);
    for (const Place& place : part ? part->places(settings) : std::vector<Place>(1)) {
      const std::string key = concrete(row.key, place);
      const auto origin = settings.sources.find(key);
      const bool is_set = origin != settings.sources.end();
      if (part && !is_set) continue;
      const std::string value = value_of(row, settings, place);
      out.push_back({key, row.check == check_url ? redact_url(value, row.is_secret) : value,
                     is_set ? origin->second.text() : "default", path_of(row, place), &row});
    }
  }
  return out;
}

Reloaded reload(Settings old, Settings fresh) {
  Reloaded out;
  const Values before = values_in(old), after = values_in(fresh);
  std::set<std::string> changed;
  for (const auto& [key, value] : before) {
    if (!after.contains(key) || after.at(key) != value) changed.insert(key);
  }
  for (const auto& [key, value] : after) {
    if (!before.contains(key)) changed.insert(key);
  }
  for (const std::string& key : changed) {
    const Row* row = find_row(key);  // null: within a variable part, which changes at once
    if (row == nullptr || row->reload == Reload::kAtOnce) {
      out.changed.push_back(key);
    } else {
      out.waiting_for_restart.push_back(key);
      keep_until_restart(*row, old, fresh);
    }
  }
  out.in_force = std::move(fresh);
  return out;
}

}  // namespace agent::settings
