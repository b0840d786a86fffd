// What the agent answers, as JSON text (contract, section 2). Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/progress/event.h"

namespace agent::wire {

// {"line":N,"code":…,"field":…,"message":…}: as HTTP lists it.
void append_error(std::string& out, std::uint64_t line, const progress::Rejection& rejection);

// The lines of a stream, each with its newline.
void append_error_line(std::string& out, std::uint64_t line, const progress::Rejection& rejection);
void append_welcome_line(std::string& out, std::string_view producer, std::int64_t last_seq,
                         bool durable);
void append_ack_line(std::string& out, std::int64_t seq);
void append_ok_line(std::string& out, std::uint64_t line);

}  // namespace agent::wire
