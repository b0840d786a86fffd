// History: what is remembered of all families, within bounds. Whoever ends sessions adds to it;
// whoever starts them asks for their family. Not thread-safe: the tracker guards it; the families
// it hands out are immutable. A family's bytes are what storage keeps (FORMAT in history.cc).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/eta/choice.h"
#include "agent/eta/family.h"
#include "agent/result.h"

namespace agent::eta {

struct HistoryBounds {
  std::size_t families = 256;
  FamilyBounds family;
};

class History {
 public:
  explicit History(HistoryBounds bounds = {}) : bounds_(bounds) {}

  // Null: nothing is known of it.
  [[nodiscard]] std::shared_ptr<const Family> family(std::string_view name) const;
  // A session of the family has ended; `complete` as in Estimator::Finish. An empty name only
  // counts in the overall record. The family not added to for longest goes when there are too many.
  void add(std::string_view name, FamilyRun run, bool complete);

  [[nodiscard]] const MethodRecord& overall() const { return overall_; }
  [[nodiscard]] const HistoryBounds& bounds() const { return bounds_; }
  [[nodiscard]] std::vector<std::string> names() const;  // sorted

  // For storage: what changed since the last call, from `keep_changes` on. Names, sorted.
  struct Changes {
    std::vector<std::string> changed, gone;  // families
    bool overall = false;
  };
  void keep_changes() { keeps_changes_ = true; }
  [[nodiscard]] Changes take_changes();
  // A family as bytes, and back; about 24 bytes a file and 400 a run. Bytes of another version, or
  // damaged ones, are refused. (The overall record is packed by its `fields`.)
  static std::string encode(const Family& family);
  static Result<std::shared_ptr<const Family>> decode(std::string_view bytes);
  // Puts a stored family back, without counting it anew.
  void restore(std::string_view name, std::shared_ptr<const Family> family);
  void restore(const MethodRecord& overall) { overall_ = overall; }

 private:
  struct Entry {
    std::shared_ptr<const Family> family;
    std::uint64_t touched = 0;
  };
  void evict();
  void note(std::set<std::string, std::less<>>& list, std::string_view name);

  HistoryBounds bounds_;
  std::map<std::string, Entry, std::less<>> families_;
  MethodRecord overall_;
  std::uint64_t clock_ = 0;
  bool keeps_changes_ = false, overall_changed_ = false;
  std::set<std::string, std::less<>> changed_, gone_;
};

}  // namespace agent::eta
