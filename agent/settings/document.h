// Document: a YAML file as it was written, every value with its line and column. It knows no
// setting: `settings.h` reads it against the table. Used by check-config and at start and reload.
// Pure; any thread. Hostile input costs a bounded amount: size, depth and number of values are
// limited, and anchors, aliases, tags and second documents are refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/settings/fault.h"

namespace agent::settings {

inline constexpr std::size_t kMaxDocumentBytes = 256 * 1024;
inline constexpr int kMaxDocumentDepth = 16;

struct Entry;

struct Node {
  enum class Kind : std::uint8_t {
    kEmpty,  // nothing, `~` or `null`
    kText,   // any scalar; what it means is its setting's business
    kMap,
    kList,
    kRefused,  // a fault was reported for it: say no more
  };
  Kind kind = Kind::kEmpty;
  Mark mark;
  std::string text;            // of kText
  std::vector<Entry> entries;  // of kMap, in the order written, each key once
  std::vector<Node> items;     // of kList
};

struct Entry {
  std::string key;
  Mark mark;  // of the key
  Node value;
};

class Document {
 public:
  // Never fails: what cannot be read is a fault, and the document holds what was read before it.
  static Document parse(std::string_view yaml, std::string name);
  // A document that is nothing but a fault, such as a file that cannot be opened.
  static Document unreadable(std::string name, std::string why);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const Node& root() const& { return root_; }
  [[nodiscard]] const Faults& faults() const& { return faults_; }

 private:
  explicit Document(std::string name) : name_(std::move(name)) {}

  std::string name_;
  Node root_;
  Faults faults_;
};

}  // namespace agent::settings
