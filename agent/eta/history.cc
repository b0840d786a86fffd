#include "agent/eta/history.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

namespace agent::eta {

std::shared_ptr<const Family> History::family(std::string_view name) const {
  const auto found = families_.find(name);
  return found == families_.end() ? nullptr : found->second.family;
}

void History::add(std::string_view name, FamilyRun run, bool complete) {
  if (complete) {
    overall_.add(run.method_error);
    overall_changed_ = true;
  }
  if (name.empty()) return;
  auto found = families_.find(name);
  if (found == families_.end()) {
    found = families_.emplace(std::string(name), Entry{std::make_shared<const Family>(), 0}).first;
  }
  found->second.family = found->second.family->with(std::move(run), complete, bounds_.family);
  found->second.touched = ++clock_;
  note(changed_, name);
  evict();
}

void History::restore(std::string_view name, std::shared_ptr<const Family> family) {
  families_.insert_or_assign(std::string(name), Entry{std::move(family), ++clock_});
  evict();
}

void History::evict() {
  while (families_.size() > bounds_.families) {
    const auto oldest = std::min_element(
        families_.begin(), families_.end(),
        [](const auto& a, const auto& b) { return a.second.touched < b.second.touched; });
    note(gone_, oldest->first);
    families_.erase(oldest);
  }
}

// Its last change is what counts.
void History::note(std::set<std::string, std::less<>>& list, std::string_view name) {
  if (!keeps_changes_) return;
  for (auto* other : {&changed_, &gone_}) {
    if (const auto found = other->find(name); found != other->end()) other->erase(found);
  }
  list.emplace(name);
}

History::Changes History::take_changes() {
  Changes c;
  c.changed.assign(changed_.begin(), changed_.end());
  c.gone.assign(gone_.begin(), gone_.end());
  c.overall = keeps_changes_ && std::exchange(overall_changed_, false);
  changed_.clear();
  gone_.clear();
  return c;
}

std::vector<std::string> History::names() const {
  std::vector<std::string> names;
  names.reserve(families_.size());
  for (const auto& [name, entry] : families_) names.push_back(name);
  return names;
}

// FORMAT: "PAEF", version (u32), run count (u32), number of runs (u32), runs, number of files
// (u32), files sorted by hash. Numbers are little-endian; every part is written field by field, so
// that the bytes do not depend on the compiler.
namespace {

constexpr std::string_view kMagic = "PAEF";
constexpr std::uint32_t kVersion = 2;

class Writer {
 public:
  template <typename T>
  void put(T value) {
    static_assert(std::is_arithmetic_v<T>);
    std::array<unsigned char, sizeof(T)> bytes{};
    std::memcpy(bytes.data(), &value, sizeof value);
    if constexpr (std::endian::native == std::endian::big) std::ranges::reverse(bytes);
    for (const unsigned char b : bytes) out_.push_back(static_cast<char>(b));
  }
  void put(std::string_view text) { out_ += text; }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  template <typename T>
  void get(T& value) {
    if (in_.size() < sizeof value) {
      sound_ = false;
      value = T{};
      return;
    }
    std::array<unsigned char, sizeof(T)> bytes{};
    std::memcpy(bytes.data(), in_.data(), sizeof value);
    if constexpr (std::endian::native == std::endian::big) std::ranges::reverse(bytes);
    std::memcpy(&value, bytes.data(), sizeof value);
    in_.remove_prefix(sizeof value);
    if constexpr (std::is_floating_point_v<T>) sound_ = sound_ && !std::isinf(value);
  }
  // How many of at least `bytes_each` follow; refuses more than there can be.
  std::size_t count(std::size_t bytes_each) {
    std::uint32_t n = 0;
    get(n);
    if (n > in_.size() / bytes_each) sound_ = false;
    return sound_ ? n : 0;
  }
  [[nodiscard]] bool sound() const { return sound_; }
  [[nodiscard]] bool done() const { return sound_ && in_.empty(); }

 private:
  std::string_view in_;
  bool sound_ = true;
};

// Visits every number of a run, to be written or read.
template <typename Run, typename Visit>
void each_number(Run& r, Visit visit) {
  visit(r.seconds), visit(r.files), visit(r.mean_seconds);
  for (auto& v : r.files_done) visit(v);
  for (auto& v : r.busy) visit(v);
  for (auto& v : r.method_error) visit(v);
  for (auto& v : r.expert_error) visit(v);
  for (auto& v : r.belief_error) visit(v);
  visit(r.chosen_error), visit(r.coverage), visit(r.confidence), visit(r.hits);
}
template <typename Stage, typename Visit>
void each_number_of_stage(Stage& s, Visit visit) {
  visit(s.name_hash), visit(s.files), visit(s.seconds), visit(s.log_seconds), visit(s.begin),
      visit(s.end);
}
template <typename File, typename Visit>
void each_number_of_file(File& f, Visit visit) {
  visit(f.log_seconds), visit(f.end), visit(f.spread), visit(f.run);
}

constexpr std::size_t kStageBytes = 28, kFileBytes = 24, kLeastRunBytes = 16;

}  // namespace

std::string History::encode(const Family& family) {
  Writer out;
  const auto put = [&](const auto& v) { out.put(v); };
  out.put(kMagic);
  out.put(kVersion);
  out.put(family.run_count_);
  out.put(static_cast<std::uint32_t>(family.runs_.size()));
  for (const FamilyRun& r : family.runs_) {
    each_number(r, put);
    out.put(static_cast<std::uint32_t>(r.stages.size()));
    for (const StageRecord& s : r.stages) each_number_of_stage(s, put);
  }
  std::vector<std::pair<std::uint64_t, const FilePast*>> files;
  for (const auto& [hash, past] : family.files_) files.emplace_back(hash, &past);
  std::ranges::sort(files);
  out.put(static_cast<std::uint32_t>(files.size()));
  for (const auto& [hash, past] : files) {
    out.put(hash);
    each_number_of_file(*past, put);
  }
  return out.take();
}

Result<std::shared_ptr<const Family>> History::decode(std::string_view bytes) {
  const auto refuse = [](const char* why) {
    return failure(std::string("reading a family's ETA history: ") + why);
  };
  if (!bytes.starts_with(kMagic)) return refuse("these bytes are something else");
  Reader in(bytes.substr(kMagic.size()));
  const auto get = [&](auto& v) { in.get(v); };
  std::uint32_t version = 0;
  in.get(version);
  if (version != kVersion) return refuse("it was written by another version; it is begun anew");
  auto family = std::make_shared<Family>();
  in.get(family->run_count_);
  family->runs_.resize(in.count(kLeastRunBytes));
  for (FamilyRun& r : family->runs_) {
    each_number(r, get);
    r.stages.resize(in.count(kStageBytes));
    for (StageRecord& s : r.stages) each_number_of_stage(s, get);
  }
  const std::size_t files = in.count(kFileBytes);
  family->files_.reserve(files);
  for (std::size_t i = 0; i < files; ++i) {
    std::uint64_t hash = 0;
    FilePast past;
    in.get(hash);
    each_number_of_file(past, get);
    family->files_.emplace(hash, past);
  }
  if (!in.done()) return refuse("it is cut short or damaged; it is begun anew");
  return std::shared_ptr<const Family>(std::move(family));
}

}  // namespace agent::eta
