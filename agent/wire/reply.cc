#include "agent/wire/reply.h"

#include "agent/wire/text.h"

namespace agent::wire {

void append_error(std::string& out, std::uint64_t line, const progress::Rejection& rejection) {
  out +=
      concat({"{\"line\":", std::to_string(line), ",\"code\":\"", name_of(rejection.reason), "\""});
  if (!rejection.field.empty()) {
    out += ",\"field\":";
    append_quoted(out, rejection.field);
  }
  out += ",\"message\":";
  append_quoted(out, rejection.message);
  out += '}';
}

void append_error_line(std::string& out, std::uint64_t line, const progress::Rejection& rejection) {
  out += "{\"error\":";
  append_error(out, line, rejection);
  out += "}\n";
}

void append_welcome_line(std::string& out, std::string_view producer, std::int64_t last_seq,
                         bool durable) {
  out += "{\"welcome\":{\"producer\":";
  append_quoted(out, producer);
  out += concat({",\"lastSeq\":", std::to_string(last_seq),
                 ",\"durable\":", durable ? "true" : "false", "}}\n"});
}

void append_ack_line(std::string& out, std::int64_t seq) {
  out += concat({"{\"ack\":", std::to_string(seq), "}\n"});
}

void append_ok_line(std::string& out, std::uint64_t line) {
  out += concat({"{\"ok\":", std::to_string(line), "}\n"});
}

}  // namespace agent::wire
