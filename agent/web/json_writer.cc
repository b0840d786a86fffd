#include "agent/web/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "agent/web/times.h"
#include "agent/wire/text.h"

namespace agent::web {
namespace {

template <typename Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

}  // namespace

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  wire::append_quoted(out_, name);
  out_.push_back(':');
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  wire::append_quoted(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(bool truth) { return raw(truth ? "true" : "false"); }

JsonWriter& JsonWriter::value(double number) {
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(Instant time) { return value(rfc3339(time)); }

JsonWriter& JsonWriter::value(Duration time) {
  const std::int64_t microseconds = time.count();
  if (microseconds % 1000 == 0) return whole(microseconds / 1000);
  return value(milliseconds(time));
}

// What the conversion from seconds leaves in the last digits is nobody's information.
JsonWriter& JsonWriter::value(Span time) {
  return value(std::round(milliseconds(time) * 1e9) / 1e9);
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_.append(json);
  return *this;
}

JsonWriter& JsonWriter::member(std::string_view name, double number) {
  return std::isfinite(number) ? key(name).value(number) : *this;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_.push_back(bracket);
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_.push_back(bracket);
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::whole(std::int64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

void JsonWriter::separate() {
  if (comma_) out_.push_back(',');
  comma_ = true;
}

}  // namespace agent::web
