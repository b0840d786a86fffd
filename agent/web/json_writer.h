// JsonWriter: appends JSON to a string, front to back, without building a document first. It puts
// the commas; the caller pairs begin and end. What is unknown is left out: `member` of an empty
// optional writes nothing. Pure; not thread-safe.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/clock.h"

namespace agent::web {

class JsonWriter {
 public:
  // Appends to `out`, which must outlive the writer.
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);  // bytes that are not UTF-8 become U+FFFD
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(bool truth);
  JsonWriter& value(double number);  // the shortest text that reads back the same; must be finite
  JsonWriter& value(Instant time);   // RFC 3339, UTC, milliseconds
  JsonWriter& value(Duration time);  // milliseconds
  JsonWriter& value(Span time);      // milliseconds, to nine decimal places
  template <std::integral Integer>
  JsonWriter& value(Integer number) {
    return whole(static_cast<std::int64_t>(number));
  }
  // JSON text made elsewhere.
  JsonWriter& raw(std::string_view json);

  // An object's member. A number that is not finite is unknown, too.
  template <typename T>
  JsonWriter& member(std::string_view name, const T& what) {
    return key(name).value(what);
  }
  JsonWriter& member(std::string_view name, double number);
  template <typename T>
  JsonWriter& member(std::string_view name, const std::optional<T>& what) {
    return what ? member(name, *what) : *this;
  }
  // A text that is empty when unknown.
  JsonWriter& known_text(std::string_view name, std::string_view text) {
    return text.empty() ? *this : member(name, text);
  }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& whole(std::int64_t number);
  void separate();

  std::string& out_;
  bool comma_ = false;  // the next element needs one before it
};

}  // namespace agent::web
