// Parser: one line of JSON -> its values, or why it is no JSON. The only user of simdjson's parser;
// owned by a Decoder. Reusable; allocates for a line only when the line is odd (see `second_look`).
// Not thread-safe: one per thread.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "agent/progress/event.h"
#include "agent/result.h"

namespace agent::wire {

// How deep arrays and objects may be nested: [[1]] is two deep.
inline constexpr std::size_t kMaxDepth = 32;
// What must be readable after the last byte of a line, whatever it holds.
inline constexpr std::size_t kPadding = simdjson::SIMDJSON_PADDING;

// Why a line of more than `max_bytes` is refused.
[[nodiscard]] progress::Rejection line_too_long(std::size_t max_bytes);

class Parser {
 public:
  // Lines longer than `max_bytes` are refused as `line_too_long`.
  explicit Parser(std::size_t max_bytes);

  [[nodiscard]] bool takes(std::string_view line) const { return line.size() <= max_bytes_; }
  // `line` must have kPadding readable bytes after it. What it returns is valid until the next
  // call.
  [[nodiscard]] Result<simdjson::dom::element, progress::Rejection> parse(std::string_view line);

 private:
  struct Outcome {
    simdjson::error_code error;
    simdjson::dom::element root;
  };
  static Outcome run(simdjson::dom::parser& parser, std::string_view line);
  Outcome second_look(std::string_view line);

  std::size_t max_bytes_;
  simdjson::dom::parser parser_;
  // Made when first needed.
  std::optional<simdjson::dom::parser> deep_parser_;
  std::string widened_;
};

// Pure; any thread. How deep `json` is nested, brackets inside strings aside.
[[nodiscard]] std::size_t nesting(std::string_view json);
// Writes integers of 20 digits and more as floating-point numbers of nearly the same value; the
// parser refuses a document for them otherwise, while the contract ignores them in unknown fields.
void widen_integers(std::string& json);

}  // namespace agent::wire
