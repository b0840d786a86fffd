#include "agent/cli/sd_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "agent/log/log.h"

namespace agent::cli {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

// 0 for what is no number: then there is no watchdog, and no process of that id.
std::int64_t number(std::string_view text) {
  std::int64_t out = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? out : 0;
}

Duration watchdog_from_environment() {
  const std::string_view whose = variable("WATCHDOG_PID");
  if (!whose.empty() && number(whose) != ::getpid()) return {};
  return Duration(std::max<std::int64_t>(0, number(variable("WATCHDOG_USEC"))));
}

}  // namespace

SdNotify SdNotify::from_environment() {
  return {std::string(variable("NOTIFY_SOCKET")), watchdog_from_environment()};
}

SdNotify::SdNotify(std::string address, Duration watchdog)
    : address_(std::move(address)), watchdog_(watchdog) {}

void SdNotify::ready(std::string_view status) { say("READY=1\nSTATUS=" + std::string(status)); }

void SdNotify::reloading(SteadyInstant now) {
  say("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.time_since_epoch().count()));
}

void SdNotify::stopping(std::string_view status) {
  say("STOPPING=1\nSTATUS=" + std::string(status));
}

bool SdNotify::is_sign_of_life_due(SteadyInstant now) const {
  return watchdog_.count() > 0 && now - last_sign_ >= watchdog_ / 3;
}

void SdNotify::sign_of_life(SteadyInstant now, std::string_view status) {
  last_sign_ = now;
  say("WATCHDOG=1\nSTATUS=" + std::string(status));
}

void SdNotify::say(const std::string& state) {
  if (address_.empty()) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (address_.size() >= sizeof to.sun_path) return;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  if (socket_.get() < 0)
    socket_ = wire::Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  // Who is too busy to take it must not stop the event loop.
  const ssize_t sent =
      ::sendto(socket_.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
               reinterpret_cast<const sockaddr*>(&to), size);
  if (sent < 0)
    log::warn("systemd cannot be told", {{"socket", address_}, {"fault", std::strerror(errno)}});
}

}  // namespace agent::cli
