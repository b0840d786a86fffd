// The kinds of value a setting can have, and their strict grammar: text as a person writes it in
// the file, the environment or a flag, to a value and back. Unlike YAML's own rules nothing is
// guessed: `010`, `yes`, `0x10` and a duration without unit are refused, with what to write
// instead. Pure; any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "agent/clock.h"
#include "agent/result.h"

namespace agent::settings {

// Where a listener listens. An empty host means every address of the machine, IPv4 and IPv6.
struct Address {
  std::string host;  // an IP address without brackets, or a host name
  std::uint16_t port = 0;

  // Whether only this machine (in Kubernetes: this Pod) can connect.
  [[nodiscard]] bool is_loopback() const;
  bool operator==(const Address&) const = default;
};

struct Bytes {
  std::int64_t count = 0;
  bool operator==(const Bytes&) const = default;
};

// Permissions of a socket file.
struct FileMode {
  std::uint32_t bits = 0;
  bool operator==(const FileMode&) const = default;
};

// What is wrong with a text, worded to follow the name of its setting; and what was probably meant.
struct Refusal {
  std::string message;
  std::string suggestion;  // empty: none
};

template <typename T>
using Read = Result<T, Refusal>;

// The least and greatest value allowed: of a number as it is, of a duration in seconds, of a size
// in bytes, of a text or list in bytes or entries.
struct Range {
  double least = 0;
  double greatest = std::numeric_limits<double>::infinity();
  [[nodiscard]] bool holds(double value) const { return value >= least && value <= greatest; }
};

Read<Duration> read_duration(std::string_view text);   // "500ms", "30s", "1h30m", "7d"; "0"
Read<Bytes> read_bytes(std::string_view text);         // "65536", "64KiB", "8MiB", "1GiB"
Read<std::int64_t> read_count(std::string_view text);  // "1000"; never "010" or "1e3"
Read<double> read_number(std::string_view text);       // "0.25", "1e-3"; finite
Read<bool> read_switch(std::string_view text);         // "true", "false"
Read<FileMode> read_file_mode(std::string_view text);  // "0660"
Read<Address> read_address(std::string_view text);     // ":19900", "127.0.0.1:80", "[::1]:80"

std::string show(Duration value);  // the shortest exact form: "1h30m", "500ms", "0s"
std::string show(Bytes value);     // "64KiB"; "1000" when no unit divides it
std::string show(std::int64_t value);
std::string show(double value);
std::string show(bool value);
std::string show(FileMode value);
std::string show(const Address& value);

// Checks of texts: empty when the text is good, else what is wrong with it.
using Check = std::string (*)(std::string_view text);
std::string check_url(std::string_view text);          // http:// or https://, a host, no space
std::string check_socket_path(std::string_view text);  // fits a Unix socket's address; "" is off
std::string check_path(std::string_view text);         // no NUL, no line break
std::string check_host(std::string_view text);         // a host name or IP address, no port
std::string check_origin(std::string_view text);       // scheme://host[:port]
std::string check_session_label(
    std::string_view text);  // may become a label of progress_session_info
std::string check_external_label(std::string_view text);  // may be added to every alert
std::string check_alert_name(std::string_view text);      // an alert of the contract
std::string check_model_name(std::string_view text);

// A URL without its password; with `hide_path` also without what a webhook's URL keeps secret.
std::string redact_url(std::string_view url, bool hide_path);

}  // namespace agent::settings
