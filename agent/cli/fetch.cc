#include "agent/cli/fetch.h"

#include <simdjson.h>

#include <cstddef>
#include <utility>

#include "agent/notify/http_client.h"

namespace agent::cli {
namespace {

constexpr Duration kPatience = std::chrono::seconds(5);
constexpr std::size_t kLargest = std::size_t{64} << 20U;  // a page of 1,000 sessions is 2 MiB

// What the agent says of an error; nothing, where it is no agent.
std::string message_in(const std::string& body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view message;
  if (parser.parse(body).get(root) != simdjson::SUCCESS) return {};
  if (root.at_pointer("/error/message").get(message) != simdjson::SUCCESS) return {};
  return ": " + std::string(message);
}

std::string advice_on(unsigned status) {
  constexpr unsigned kUnauthorized = 401;
  return status == kUnauthorized ? " (--username with --password-file, or --bearer-token-file)"
                                 : "";
}

}  // namespace

Result<notify::Endpoint> site_from(std::string_view url) {
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return failure("a URL like http://localhost:19900 is needed, not \"" + std::string(url) + "\"");
  notify::Endpoint site = notify::endpoint_of(url);
  if (url.find('@') != std::string_view::npos) {
    return failure(
        std::string("no user and no password in it, for everybody can see them: use "
                    "--username and --password-file"));
  }
  if (site.host.empty() || site.port.empty())
    return failure("no host and port in \"" + std::string(url) + "\"");
  site.timeout = kPatience;
  return site;
}

Result<std::string> fetch(const notify::Endpoint& site, const std::string& target) {
  notify::HttpClient client(kLargest);
  auto answer = client.send("GET", site, target, "", "");
  const std::string agent = "the agent at " + site.shown();
  if (!answer) return failure("cannot reach " + agent + ": " + answer.error().message);
  constexpr unsigned kOk = 200;
  if (answer->status != kOk) {
    return failure(agent + " answers " + std::to_string(answer->status) + " to " + target +
                   message_in(answer->body) + advice_on(answer->status));
  }
  if (!answer->is_whole) return failure(agent + " did not answer to the end");
  return std::move(answer->body);
}

}  // namespace agent::cli
