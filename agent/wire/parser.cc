#include "agent/wire/parser.h"

#include <algorithm>
#include <utility>

#include "agent/wire/text.h"

namespace agent::wire {
namespace {

using progress::Rejection;
using progress::RejectReason;
using simdjson::error_code;

// simdjson's depth counts containers that hold something, and stops one short of its limit.
constexpr std::size_t kDeepLimit = kMaxDepth + 1;

// Calls `see` for every byte that is not inside a string. Also right for broken JSON: it only
// looks.
template <typename See>
void outside_strings(std::string_view json, See see) {
  bool inside = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (inside && c == '\\') {
      ++i;
    } else if (c == '"') {
      inside = !inside;
    } else if (!inside) {
      see(i, c);
    }
  }
}

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Whether JSON takes `token` for an integer that may not fit 64 bits.
bool is_long_integer(std::string_view token) {
  constexpr std::size_t kSafeDigits = 18;
  if (token.starts_with('-')) token.remove_prefix(1);
  return token.size() > kSafeDigits && token.front() != '0' &&
         std::all_of(token.begin(), token.end(), is_digit);
}

std::string_view explain(error_code error) {
  if (error == simdjson::EMPTY) return "it holds no value";
  if (error == simdjson::STRING_ERROR) return "a string has an invalid escape";
  if (error == simdjson::UNCLOSED_STRING) return "a string is not closed";
  if (error == simdjson::UNESCAPED_CHARS) {
    return "a string holds a control character that is not escaped";
  }
  if (error == simdjson::NUMBER_ERROR) {
    return "a number is malformed or beyond the range of a double (NaN and Infinity are no JSON)";
  }
  if (error == simdjson::T_ATOM_ERROR || error == simdjson::F_ATOM_ERROR ||
      error == simdjson::N_ATOM_ERROR) {
    return "a word is none of true, false and null";
  }
  return "a comma, colon, bracket, quote or value is missing or misplaced";
}

Rejection rejection_of(error_code error) {
  if (error == simdjson::UTF8_ERROR) {
    return {RejectReason::kInvalidUtf8, "", "the text is not valid UTF-8; encode it as UTF-8"};
  }
  if (error == simdjson::DEPTH_ERROR) {
    return {RejectReason::kTooDeep, "",
            concat({"nested more than ", std::to_string(kMaxDepth), " deep; flatten it"})};
  }
  return {RejectReason::kInvalidJson, "",
          concat({"not valid JSON: ", explain(error), "; send one JSON object per line"})};
}

}  // namespace

Rejection line_too_long(std::size_t max_bytes) {
  return {RejectReason::kLineTooLong, "",
          concat({"longer than ", std::to_string(max_bytes),
                  " bytes (ingest.max_line_bytes); send smaller events"})};
}

Parser::Parser(std::size_t max_bytes) : max_bytes_(max_bytes) {
  // Should memory be short, parse() allocates, or answers `invalid_json`.
  [[maybe_unused]] const auto error = parser_.allocate(max_bytes, kMaxDepth);
}

Parser::Outcome Parser::run(simdjson::dom::parser& parser, std::string_view line) {
  constexpr bool kCopy = false;
  Outcome outcome{};
  outcome.error = parser.parse(line.data(), line.size(), kCopy).get(outcome.root);
  return outcome;
}

// Two faults that simdjson sees may be none: it takes no integer beyond 64 bits, and its limit of
// depth is not exactly ours. Costs a copy of the line.
Parser::Outcome Parser::second_look(std::string_view line) {
  if (nesting(line) > kMaxDepth) return {simdjson::DEPTH_ERROR, {}};
  widened_.reserve(line.size() + kPadding);
  widened_ = line;
  widen_integers(widened_);
  if (!deep_parser_) {
    deep_parser_.emplace();
    [[maybe_unused]] const auto error = deep_parser_->allocate(max_bytes_, kDeepLimit);
  }
  return run(*deep_parser_, widened_);
}

Result<simdjson::dom::element, Rejection> Parser::parse(std::string_view line) {
  if (!takes(line)) return failure(line_too_long(max_bytes_));
  Outcome outcome = run(parser_, line);
  if (outcome.error == simdjson::NUMBER_ERROR || outcome.error == simdjson::DEPTH_ERROR) {
    outcome = second_look(line);
  }
  if (outcome.error != simdjson::SUCCESS) return failure(rejection_of(outcome.error));
  return outcome.root;
}

std::size_t nesting(std::string_view json) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  outside_strings(json, [&](std::size_t, char c) {
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if ((c == ']' || c == '}') && depth > 0) --depth;
  });
  return deepest;
}

void widen_integers(std::string& json) {
  std::size_t begin = 0;  // of the number that the bytes before this one may be part of
  const auto finish = [&](std::size_t end) {
    // "…1234" becomes "…12e2": the same magnitude; the last digits are lost, as in a double anyway.
    if (is_long_integer({json.data() + begin, end - begin})) json.replace(end - 2, 2, "e2");
    begin = end + 1;
  };
  outside_strings(json, [&](std::size_t i, char c) {
    if (!is_digit(c) && std::string_view("+-.eE").find(c) == std::string_view::npos) finish(i);
  });
  finish(json.size());
}

}  // namespace agent::wire
