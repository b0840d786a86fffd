#include "agent/wire/fields.h"

#include <utility>

#include "agent/wire/timestamp.h"

namespace agent::wire {
namespace {

using progress::Rejection;
using progress::RejectReason;
using simdjson::dom::element_type;

// Unix times from here on are surely another unit: the year 5138.
constexpr double kTooManySeconds = 1e11;

std::string_view describe(const Value& value) {
  switch (value.type()) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE:
      return "a number";
    case element_type::STRING:
      return "a string";
    case element_type::BOOL:
      return "true or false";
    case element_type::NULL_VALUE:
      break;
  }
  return "null";
}

void refuse_range(const Field& field, std::string_view kind, Range range, double value,
                  Fault& fault) {
  fault.set(RejectReason::kInvalidField, field.name,
            concat({"must be ", kind, " between ", shown(range.low), " and ", shown(range.high),
                    ", not ", shown(value)}));
}

void refuse_time(const Field& field, std::string_view wrong, Fault& fault) {
  fault.set(RejectReason::kTimestampOutOfRange, field.name, wrong);
}

// `unit` and `hint` are for numbers that look like another unit.
Instant instant_from(const Field& field, double seconds, std::string_view hint, Fault& fault) {
  if (!(seconds >= 0)) {
    refuse_time(field, "is before 1970; send the time of the event, or nothing for now", fault);
  } else if (seconds >= kTooManySeconds) {
    refuse_time(field, hint, fault);
  } else {
    constexpr double kMicroseconds = 1e6;
    return Instant(Duration(static_cast<std::int64_t>(seconds * kMicroseconds + 0.5)));
  }
  return {};
}

}  // namespace

void Fault::set(RejectReason reason, std::string_view field, std::string_view wrong) {
  if (first_) return;
  first_ = Rejection{reason, std::string(field), concat({"\"", field, "\" ", wrong})};
}

void Fault::missing(std::string_view field, std::string_view of) {
  if (first_) return;
  first_ = Rejection{RejectReason::kMissingField, std::string(field),
                     concat({"\"", field, "\" is missing; ", of, " needs it"})};
}

void Fault::within(std::string_view prefix, Fault&& part) {
  if (first_ || !part.first_) return;
  first_ = std::move(part.first_);
  const bool has_both = !prefix.empty() && !first_->field.empty();
  first_->field = concat({prefix, has_both ? "." : "", first_->field});
}

void refuse_type(const Field& field, std::string_view wanted, Fault& fault) {
  fault.set(RejectReason::kInvalidField, field.name,
            concat({"must be ", wanted, ", not ", describe(field.value)}));
}

void refuse_choice(const Field& field, std::span<const std::string_view> names, Fault& fault) {
  std::string wrong = "must be one of ";
  for (const std::string_view name : names) {
    if (name != names.front()) wrong += ", ";
    wrong += name;
  }
  std::string_view given;
  [[maybe_unused]] const auto error = field.value.get(given);
  fault.set(RejectReason::kInvalidField, field.name, concat({wrong, "; not ", shown(given)}));
}

std::int64_t to_integer(const Field& field, Range range, Fault& fault) {
  std::int64_t value = 0;
  if (field.value.get(value) == simdjson::SUCCESS) {
    const auto approximate = static_cast<double>(value);  // exact within kMostInteger
    if (value <= kMostInteger && approximate >= range.low && approximate <= range.high) {
      return value;
    }
    refuse_range(field, "a whole number", range, approximate, fault);
    return 0;
  }
  double number = 0;
  if (field.value.get(number) != simdjson::SUCCESS) {
    refuse_type(field, "a whole number", fault);
    return 0;
  }
  if (number != std::floor(number) || !(number >= range.low && number <= range.high)) {
    refuse_range(field, "a whole number", range, number, fault);
    return 0;
  }
  return static_cast<std::int64_t>(number);
}

double to_number(const Field& field, Range range, Fault& fault) {
  double number = 0;
  if (field.value.get(number) != simdjson::SUCCESS) {
    refuse_type(field, "a number", fault);
    return 0;
  }
  std::int64_t integer = 0;
  const bool is_beyond = field.value.get(integer) == simdjson::SUCCESS && integer > kMostInteger;
  if (!(number >= range.low && number <= range.high) || is_beyond) {
    refuse_range(field, "a number", range, number, fault);
    return 0;
  }
  return number + 0.0;  // not -0
}

bool to_flag(const Field& field, Fault& fault) {
  bool value = false;
  if (field.value.get(value) != simdjson::SUCCESS) refuse_type(field, "true or false", fault);
  return value;
}

std::string_view to_string(const Field& field, Fault& fault) {
  std::string_view value;
  if (field.value.get(value) != simdjson::SUCCESS) refuse_type(field, "a string", fault);
  return value;
}

std::string_view to_id(const Field& field, std::size_t max, Fault& fault) {
  std::string_view value;
  if (field.value.get(value) != simdjson::SUCCESS) {
    refuse_type(field, "a string", fault);
  } else if (value.empty() || value.size() > max) {
    fault.set(RejectReason::kInvalidField, field.name,
              concat({"must be 1 to ", std::to_string(max), " bytes long, not ",
                      std::to_string(value.size())}));
  }
  return value;
}

std::string_view to_plain_id(const Field& field, std::size_t max, Fault& fault) {
  const std::string_view value = to_id(field, max, fault);
  if (field.value.is_plain_text()) return value;
  if (const auto at = find_control(value)) {
    fault.set(
        RejectReason::kInvalidField, field.name,
        concat({"must hold no control character; there is one at byte ", std::to_string(*at + 1)}));
  }
  return value;
}

Duration to_millis(const Field& field, Range range, Fault& fault) {
  constexpr double kMicroseconds = 1e3;
  return Duration(static_cast<std::int64_t>(to_number(field, range, fault) * kMicroseconds + 0.5));
}

Instant to_instant(const Field& field, Fault& fault) {
  double seconds = 0;
  if (field.value.get(seconds) == simdjson::SUCCESS) {
    return instant_from(field, seconds,
                        "looks like milliseconds; send Unix seconds (fractions allowed), an RFC "
                        "3339 string, or, for the event's own time, \"tsMs\"",
                        fault);
  }
  std::string_view text;
  if (field.value.get(text) != simdjson::SUCCESS) {
    refuse_type(field, "an RFC 3339 string or Unix seconds", fault);
    return {};
  }
  const std::optional<Instant> parsed = parse_rfc3339(text);
  if (!parsed) {
    fault.set(RejectReason::kInvalidField, field.name,
              concat({"must be an RFC 3339 time with its zone, like 2026-01-05T09:00:00Z, not ",
                      shown(text)}));
    return {};
  }
  static_cast<void>(instant_from(field, unix_seconds(*parsed), "is after the year 5138", fault));
  return *parsed;
}

Instant to_instant_ms(const Field& field, Fault& fault) {
  constexpr double kMilliseconds = 1e3;
  double millis = 0;
  if (field.value.get(millis) != simdjson::SUCCESS) {
    refuse_type(field, "a whole number of milliseconds", fault);
    return {};
  }
  if (millis != std::floor(millis) || std::abs(millis) >= kMost) {
    fault.set(RejectReason::kInvalidField, field.name,
              concat({"must be a whole number of milliseconds since 1970, not ", shown(millis)}));
    return {};
  }
  return instant_from(field, millis / kMilliseconds,
                      "looks like microseconds; send milliseconds since 1970", fault);
}

}  // namespace agent::wire
