#include "agent/notify/courier.h"

#include <algorithm>
#include <utility>

#include "agent/notify/encode.h"

namespace agent::notify {

Courier::Courier(Target target, const Clock& clock)
    : target_(std::move(target)),
      clock_(clock),
      outbox_(target_),
      random_(std::random_device{}()) {}

Courier::~Courier() { stop(Duration::zero()); }

void Courier::start() {
  thread_ = std::thread([this] { run(); });
}

void Courier::tell(Firing firing) {
  const std::lock_guard lock(mutex_);
  shown_ = std::move(firing);
  wake_.notify_one();
}

void Courier::stop(Duration grace) {
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    stops_ = true;
    wake_.notify_one();
    ended_.wait_for(lock, grace, [&] { return is_over_; });
  }
  client_.cancel();
  thread_.join();
}

void Courier::run() {
  for (bool stops = false; !stops;) {
    Firing firing;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return shown_ || stops_; });
      firing = std::exchange(shown_, nullptr);
      stops = stops_;
    }
    if (firing) outbox_.update(*firing, clock_.now());
    deliver();
  }
  const std::lock_guard lock(mutex_);
  is_over_ = true;
  ended_.notify_one();
}

void Courier::deliver() {
  for (;;) {
    const Now now = clock_.now();
    const std::vector<Notice> notices = outbox_.due(now);
    if (notices.empty()) return;
    const Result<void> sent = send(notices, now);
    const Now after = clock_.now();
    record(sent, after);
    if (!sent) {
      const double luck = std::uniform_real_distribution(0.0, 1.0)(random_);
      return outbox_.failed(after, luck);
    }
    outbox_.delivered(after);
  }
}

Result<void> Courier::send(const std::vector<Notice>& notices, Now now) {
  const bool is_webhook = target_.kind == Kind::kWebhook;
  std::string path = target_.endpoint.path;
  if (!is_webhook) {
    while (path.ends_with('/')) path.pop_back();
    path += "/api/v2/alerts";
  } else if (!path.starts_with('/')) {
    path.insert(0, 1, '/');
  }
  auto answer = client_.send(
      "POST", target_.endpoint, path, "application/json",
      is_webhook ? webhook_json(notices, target_) : alertmanager_json(notices, target_, now.wall));
  if (!answer) return failure(std::move(answer.error()));
  if (answer->ok()) return {};
  constexpr std::size_t kShown = 200;
  const std::string said = answer->body.substr(0, std::min(kShown, answer->body.find('\n')));
  return failure("answered " + std::to_string(answer->status) + (said.empty() ? "" : ": " + said));
}

void Courier::record(const Result<void>& sent, Now now) {
  const std::lock_guard lock(mutex_);
  delivery_.is_failing = !sent;
  delivery_.dropped = outbox_.dropped();
  if (sent) {
    ++delivery_.succeeded;
    delivery_.last_success = now.wall;
  } else {
    ++delivery_.failed;
    delivery_.last_error_at = now.wall;
    delivery_.last_error = sent.error().message;
  }
}

Delivery Courier::delivery() const {
  const std::lock_guard lock(mutex_);
  return delivery_;
}

}  // namespace agent::notify
