// HttpClient: one request to one server, and its answer, within a time. Follows no redirect, reads
// no more of an answer than it was told, and forgets the connection. Blocks: for a thread of its
// own. Used by couriers, and by the commands that ask a running agent. Beast, which the agent has
// in it for its listeners, rather than a second HTTP library: cpp-httplib exists on Debian as a
// shared library only, whose loading costs the idle agent 2 MiB and 1 ms.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "agent/notify/target.h"
#include "agent/result.h"

namespace agent::notify {

struct Answer {
  unsigned status = 0;
  std::string body;       // its first bytes, as many as the client reads
  bool is_whole = false;  // false: it was longer, or cut off

  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

class HttpClient {
 public:
  static constexpr std::size_t kMostReply = 65'536;

  // `most_reply`: bytes of an answer's body.
  explicit HttpClient(std::size_t most_reply = kMostReply) : most_reply_(most_reply) {}

  // `target` is the path with its query; an empty `content_type` is not sent. Reads the endpoint's
  // files anew each time. Error: what could not be done, and why; never what is secret.
  Result<Answer> send(std::string_view method, const Endpoint& endpoint, std::string_view target,
                      std::string_view content_type, std::string body);
  // Any thread: what is under way fails soon, and so does everything after it.
  void cancel();

 private:
  const std::size_t most_reply_;
  std::mutex mutex_;
  std::shared_ptr<boost::asio::io_context> running_;  // guarded by mutex_
  bool cancelled_ = false;                            // guarded by mutex_
};

}  // namespace agent::notify
