#include "agent/web/claims.h"

#include <cmath>
#include <limits>
#include <string>

#include "agent/progress/insight.h"
#include "agent/web/json.h"
#include "agent/web/routes.h"
#include "agent/wire/parser.h"
#include "agent/wire/timestamp.h"

namespace agent::web {
namespace {

using progress::Claim;
using progress::ClaimKind;
using progress::kClaimRows;

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

// Calls `visit` with each field of the object that `body` must be, and its value.
template <typename Visit>
Result<void, Reply> for_each_field(std::string_view body, Visit visit) {
  wire::Parser parser(Route::kSmallBody);
  std::string padded(body);
  padded.append(wire::kPadding, '\0');
  const auto root = parser.parse(std::string_view(padded).substr(0, body.size()));
  if (!root) {
    return failure(error_reply(400, progress::name_of(root.error().reason), root.error().message));
  }
  if (!root->is_object())
    return failure(error_reply(400, "not_an_object", "the body must be a JSON object"));
  for (const auto& [name, value] : root->get_object()) visit(name, value);
  return {};
}

// The number that `value` is for a field of this kind; NaN for none, empty for null.
template <typename Value>
std::optional<double> number_of(ClaimKind kind, const Value& value) {
  if (value.is_null()) return std::nullopt;
  double number = kNoNumber;
  if (kind == ClaimKind::kTime && value.is_string()) {
    const auto time = wire::parse_rfc3339(std::string_view(value.get_string()));
    return time ? 1000 * unix_seconds(*time) : kNoNumber;
  }
  if (value.get_double().get(number) != 0) return kNoNumber;
  return kind == ClaimKind::kTime ? kNoNumber : number;
}

}  // namespace

Result<Claim, Reply> read_claim(std::string_view body) {
  Claim claim;
  const auto read = for_each_field(body, [&](std::string_view name, const auto& value) {
    for (std::size_t i = 0; i < kClaimRows.size(); ++i) {
      if (kClaimRows[i].name == name) claim.values[i] = number_of(kClaimRows[i].kind, value);
    }
  });
  if (!read) return failure(read.error());
  return claim;
}

void write_validation(JsonWriter& json, const Claim& claim) {
  const auto faults = progress::validate(claim);
  json.begin_object();
  json.member("isValid", faults.empty());
  json.key("errors").begin_array();
  for (const auto& fault : faults) {
    json.begin_object();
    json.member("field", fault.field).member("code", fault.code).member("message", fault.message);
    json.end_object();
  }
  json.end_array().end_object();
}

Reply answer_validate(std::string_view body) {
  const auto claim = read_claim(body);
  if (!claim) return claim.error();
  return json_reply_of([&](JsonWriter& json) { write_validation(json, *claim); });
}

Reply answer_insights(std::string_view body) {
  auto claim = read_claim(body);
  if (!claim) return claim.error();
  for (const auto& fault : progress::validate(*claim)) {
    // Numbers that disagree with each other can still be judged; what is no number cannot.
    if (fault.code == "invalid_type" || fault.code == "out_of_range") {
      return error_reply(400, "invalid_field", fault.message);
    }
  }
  const auto found = progress::insights(progress::metrics_of(*claim), {});
  return json_reply_of([&](JsonWriter& json) {
    json.begin_object();
    write_insights(json.key("items"), found);
    json.end_object();
  });
}

Result<std::int64_t, Reply> read_count(std::string_view body, std::string_view field) {
  std::optional<double> number;
  const auto read = for_each_field(body, [&](std::string_view name, const auto& value) {
    if (name == field) number = number_of(ClaimKind::kCount, value);
  });
  if (!read) return failure(read.error());
  const std::string name(field);
  if (!number) return failure(error_reply(400, "missing_field", name + " is missing"));
  if (!(*number >= 0 && *number <= 1e15 && *number == std::floor(*number))) {
    return failure(error_reply(400, "invalid_field", name + " must be a whole number, 0 or more"));
  }
  return static_cast<std::int64_t>(*number);
}

}  // namespace agent::web
