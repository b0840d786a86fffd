// Fields: the known fields of one JSON object, and their values checked and converted. What decode
// reads events with. A key given twice counts as given last; `null` counts as absent; unknown keys
// are ignored. Used by one Decoder; not thread-safe. Nothing here allocates unless it refuses.
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "agent/clock.h"
#include "agent/progress/event.h"
#include "agent/progress/text.h"
#include "agent/wire/keys.h"
#include "agent/wire/plain.h"
#include "agent/wire/text.h"
#include "agent/wire/value.h"

namespace agent::wire {

// The first thing wrong with an event; the reading of the others goes on regardless, with what is
// there.
class Fault {
 public:
  [[nodiscard]] explicit operator bool() const { return first_.has_value(); }
  // `wrong` follows the quoted field: "must be …, not …".
  void set(progress::RejectReason reason, std::string_view field, std::string_view wrong);
  void missing(std::string_view field, std::string_view of);
  // The fault of a part of the event, whose fields are named relative to `prefix` ("files[3]").
  void within(std::string_view prefix, Fault&& part);
  [[nodiscard]] progress::Rejection take() { return *std::move(first_); }

 private:
  std::optional<progress::Rejection> first_;
};

// All amounts are at most this: beyond it a double, which is what JSON numbers are to most
// programs, no longer tells neighbours apart; and sums stay finite.
inline constexpr std::int64_t kMostInteger = std::int64_t{1} << 53;
inline constexpr double kMost = static_cast<double>(kMostInteger);

struct Range {
  double low = 0;
  double high = kMost;
};

// A value and the name it has in its object.
struct Field {
  std::string_view name;
  const Value& value;
};

// One value, or `fault` set and something harmless.
std::int64_t to_integer(const Field& field, Range range, Fault& fault);
double to_number(const Field& field, Range range, Fault& fault);
bool to_flag(const Field& field, Fault& fault);
std::string_view to_string(const Field& field, Fault& fault);
// 1 to `max` bytes; never cut.
std::string_view to_id(const Field& field, std::size_t max, Fault& fault);
// The same without control characters.
std::string_view to_plain_id(const Field& field, std::size_t max, Fault& fault);
Duration to_millis(const Field& field, Range range, Fault& fault);
// An RFC 3339 string, or Unix seconds as a number.
Instant to_instant(const Field& field, Fault& fault);
Instant to_instant_ms(const Field& field, Fault& fault);

// Sets `fault`: the value is not `wanted` ("a string").
void refuse_type(const Field& field, std::string_view wanted, Fault& fault);
void refuse_choice(const Field& field, std::span<const std::string_view> names, Fault& fault);

template <typename Key>
class Fields {
 public:
  void read(simdjson::dom::object object) {
    present_ = 0;
    // By iterator, not by pair: a pair would be built in memory for every field.
    const auto end = object.end();
    for (auto field = object.begin(); field != end; ++field) {
      place(kKeyTable<Key>.find(field.key())) = field.value();
    }
  }
  // Without the parser. False: the object is not plain, and nothing here means anything.
  [[nodiscard]] bool read_plain(std::string_view json, KeyOrder<Key>& order) {
    present_ = 0;
    return wire::read_plain(json, order, [this](std::size_t key) -> Value& { return place(key); });
  }

  [[nodiscard]] bool has(Key key) const {
    return (present_ & bit(key)) != 0 && !values_[index(key)].is_null();
  }
  [[nodiscard]] Field at(Key key) const { return {name(key), values_[index(key)]}; }
  [[nodiscard]] static constexpr std::string_view name(Key key) {
    return names_of(Key{})[index(key)];
  }

  // Each is empty when the field is absent.
  std::optional<std::int64_t> integer(Key key, Fault& fault, Range range = {}) const {
    if (!has(key)) return std::nullopt;
    return to_integer(at(key), range, fault);
  }
  std::optional<double> number(Key key, Fault& fault, Range range = {}) const {
    if (!has(key)) return std::nullopt;
    return to_number(at(key), range, fault);
  }
  std::optional<bool> flag(Key key, Fault& fault) const {
    if (!has(key)) return std::nullopt;
    return to_flag(at(key), fault);
  }
  std::optional<Duration> millis(Key key, Fault& fault, Range range = {}) const {
    if (!has(key)) return std::nullopt;
    return to_millis(at(key), range, fault);
  }
  std::optional<Instant> instant(Key key, Fault& fault) const {
    if (!has(key)) return std::nullopt;
    return to_instant(at(key), fault);
  }
  // Free text, cut at kMaxText.
  std::optional<std::string_view> text(Key key, Fault& fault) const {
    if (!has(key)) return std::nullopt;
    return progress::cut_utf8(to_string(at(key), fault), kMaxText);
  }
  std::string_view text_or_empty(Key key, Fault& fault) const {
    return has(key) ? progress::cut_utf8(to_string(at(key), fault), kMaxText) : std::string_view{};
  }
  template <typename Enum, std::size_t N>
  std::optional<Enum> choice(Key key, const std::array<std::string_view, N>& names,
                             Fault& fault) const {
    if (!has(key)) return std::nullopt;
    const Field field = at(key);
    const auto chosen = progress::from_name<Enum>(to_string(field, fault), names);
    if (!chosen) refuse_choice(field, names, fault);
    return chosen;
  }

 private:
  static_assert(key_count<Key>() <= 64, "one bit of present_ for each key");
  static constexpr std::size_t index(Key key) { return static_cast<std::size_t>(key); }
  static constexpr std::uint64_t bit(Key key) { return std::uint64_t{1} << index(key); }
  // Where the value of a field goes; key_count(): nobody knows the field.
  Value& place(std::size_t key) {
    if (key == key_count<Key>()) return unknown_;
    present_ |= std::uint64_t{1} << key;
    return values_[key];
  }

  std::uint64_t present_ = 0;
  std::array<Value, key_count<Key>()> values_;  // valid where present_ says so
  Value unknown_;                               // of the fields that nobody knows
};

}  // namespace agent::wire
