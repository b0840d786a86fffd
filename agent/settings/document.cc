#include "agent/settings/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "agent/utf8.h"

namespace agent::settings {
namespace {

constexpr std::size_t kMaxValues = 20'000;

Mark mark_of(const YAML::Mark& mark) {
  return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
}

// Ends a parse that would cost too much to go on with.
struct TooMuch {
  Mark mark;
  const char* message;
};

// Builds the tree from the parser's events. The parser's own loader would resolve aliases (which
// can grow without bound) and keep only one of repeated keys.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const std::string& name, Faults& faults) : name_(name), faults_(faults) {}

  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2) fault(mark_of(mark), "a second document: one file holds one");
  }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& anchor) override {
    fault(mark_of(mark), "anchors are not supported: write the value of \"*" + anchor +
                             "\" out wherever it is used");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fault(mark_of(mark), "aliases are not supported: write the value out");
    add(Node{Node::Kind::kRefused, mark_of(mark), {}, {}, {}});
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    add(Node{Node::Kind::kEmpty, mark_of(mark), {}, {}, {}});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    refuse_tag(mark_of(mark), tag);
    add(Node{Node::Kind::kText, mark_of(mark), value, {}, {}});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::kList, mark_of(mark), tag);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::kMap, mark_of(mark), tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  // A map or list that is not yet complete.
  struct Open {
    Node node;
    std::optional<Entry> entry;  // of a map: the key was read, its value comes next
    std::unordered_map<std::string, std::uint32_t> lines;  // of a map: where its keys are
  };

  void fault(Mark mark, std::string message) {
    faults_.push_back({{name_, mark}, std::move(message), {}});
    if (faults_.size() >= kMaxFaults) throw TooMuch{mark, "too many faults: the rest was not read"};
  }

  void refuse_tag(Mark mark, const std::string& tag) {
    // "?" is a plain value and "!" a quoted one; the core schema's tags change nothing here.
    if (tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:")) return;
    fault(mark, "tags are not supported: leave \"" + tag + "\" out");
  }

  void open(Node::Kind kind, Mark mark, const std::string& tag) {
    refuse_tag(mark, tag);
    if (open_.size() >= kMaxDocumentDepth) throw TooMuch{mark, "nested too deeply"};
    open_.push_back({Node{kind, mark, {}, {}, {}}, std::nullopt, {}});
  }

  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  // A complete value: the root, a list's item, a map's key, or the value of the key before it.
  void add(Node node) {
    if (++values_ > kMaxValues) throw TooMuch{node.mark, "too many values"};
    if (open_.empty()) {
      if (documents_ == 1) root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::kList) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.entry) {
      parent.entry = Entry{key_of(node), node.mark, {}};
    } else {
      parent.entry->value = std::move(node);
      add_entry(parent, *std::exchange(parent.entry, std::nullopt));
    }
  }

  std::string key_of(const Node& node) {
    if (node.kind == Node::Kind::kText) return node.text;
    if (node.kind != Node::Kind::kRefused) fault(node.mark, "a key must be a plain name");
    return {};
  }

  void add_entry(Open& map, Entry entry) {
    const auto [first, is_new] = map.lines.emplace(entry.key, entry.mark.line);
    if (is_new) {
      map.node.entries.push_back(std::move(entry));
    } else if (!entry.key.empty()) {
      fault(entry.mark, "\"" + entry.key + "\" is repeated: it is already set on line " +
                            std::to_string(first->second));
    }
  }

  const std::string& name_;
  Faults& faults_;
  Node root_;
  std::vector<Open> open_;
  int documents_ = 0;
  std::size_t values_ = 0;
};

// What is wrong with the text before it is even YAML.
std::optional<Fault> fault_of_bytes(std::string_view yaml, const std::string& name) {
  if (yaml.size() > kMaxDocumentBytes) {
    return Fault{{name, {}}, "is larger than 256 KiB: this is no configuration of the agent", {}};
  }
  const std::size_t good = valid_utf8_prefix(yaml);
  const std::size_t control = yaml.substr(0, good).find('\0');
  if (good == yaml.size() && control == std::string_view::npos) return std::nullopt;
  const std::string_view before = yaml.substr(0, std::min(good, control));
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;
  const Mark mark{static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(column)};
  return Fault{
      {name, mark}, control < good ? "a NUL byte: the file is not text" : "not valid UTF-8", {}};
}

}  // namespace

Document Document::unreadable(std::string name, std::string why) {
  Document document(std::move(name));
  document.faults_.push_back({{document.name_, {}}, std::move(why), {}});
  document.root_.kind = Node::Kind::kRefused;
  return document;
}

Document Document::parse(std::string_view yaml, std::string name) {
  Document document(std::move(name));
  if (auto fault = fault_of_bytes(yaml, document.name_)) {
    document.faults_.push_back(*std::move(fault));
    document.root_.kind = Node::Kind::kRefused;
    return document;
  }
  Builder builder(document.name_, document.faults_);
  try {
    std::istringstream stream{std::string(yaml)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const TooMuch& limit) {
    document.faults_.push_back({{document.name_, limit.mark}, limit.message, {}});
  } catch (const YAML::Exception& fault) {
    document.faults_.push_back(
        {{document.name_, mark_of(fault.mark)}, "not YAML: " + fault.msg, {}});
  }
  document.root_ = builder.take_root();
  return document;
}

}  // namespace agent::settings
