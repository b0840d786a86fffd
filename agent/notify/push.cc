#include "agent/notify/push.h"

#include <utility>

#include "agent/notify/http_client.h"

namespace agent::notify {
namespace {

// As a segment of a path.
std::string encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain.find(c) != kPlain.npos)
      out += c;
    else
      out += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
  }
  return out;
}

std::string_view without_slashes(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

Result<void> push(const Endpoint& gateway, std::string_view instance, std::string page) {
  std::string path(without_slashes(gateway.path));
  path += "/metrics/job/progress-agent/instance/" + encoded(instance);
  HttpClient client;
  auto answer = client.send("PUT", gateway, path, "text/plain; version=0.0.4; charset=utf-8",
                            std::move(page));
  if (!answer) return failure("push to " + gateway.shown() + ": " + answer.error().message);
  if (answer->ok()) return {};
  constexpr std::size_t kMostSaid = 300;
  return failure("push to " + gateway.shown() + ": status " + std::to_string(answer->status) +
                 ": " + answer->body.substr(0, kMostSaid));
}

}  // namespace agent::notify
