// POST /v1/validate and POST /v1/insights: a ProgressMetrics from outside, judged. Pure functions
// of the body; event loop only (they share a parser).
#pragma once

#include <string_view>

#include "agent/progress/validation.h"
#include "agent/result.h"
#include "agent/web/json_writer.h"
#include "agent/web/reply.h"

namespace agent::web {

// The fields of a JSON object by the names of ProgressMetrics; the refusal for anything else.
// Fields not known are ignored.
Result<progress::Claim, Reply> read_claim(std::string_view body);

// {"isValid":…,"errors":[{"field","code","message"}]}
void write_validation(JsonWriter& json, const progress::Claim& claim);

Reply answer_validate(std::string_view body);
// A list of insights; 400 with the first fault of a claim that cannot be true in itself.
Reply answer_insights(std::string_view body);

// One whole number out of a JSON object that must have it; the refusal names the field.
Result<std::int64_t, Reply> read_count(std::string_view body, std::string_view field);

}  // namespace agent::web
