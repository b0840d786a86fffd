#include "agent/access/passwords.h"

#include <openssl/crypto.h>

#include <utility>

#include "agent/access/bcrypt.h"

namespace agent::access {
namespace {

// Whose hash stands in for that of an unknown name: always the same one for the same name, chosen
// so that nobody outside can tell which. So unknown names take as long as the known do, be the
// costs of their hashes what they may.
const std::string& decoy(const Config& config, const Digest& name) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < sizeof at; ++i) at = at << 8U | name[i];
  return std::next(config.users.begin(), static_cast<std::ptrdiff_t>(at % config.users.size()))
      ->second;
}

}  // namespace

Passwords::~Passwords() { stop(); }

void Passwords::stop() {
  bool is_busy = false;
  {
    const std::lock_guard lock(work_->mutex);
    work_->stopped = true;
    is_busy = work_->current != nullptr;
    work_->current = nullptr;
    work_->waiting.clear();
  }
  work_->wakes.notify_one();
  if (!thread_.joinable()) return;
  // A check cannot be broken off, and may take longer than anybody wants to wait for an end.
  is_busy ? thread_.detach() : thread_.join();
}

Passwords::Claim Passwords::claim(const Config& config, std::string_view name,
                                  std::string_view password) const {
  const auto user = config.users.find(name);
  const bool is_known = user != config.users.end();
  const std::string& hash = is_known ? user->second : decoy(config, key_.of({name}));
  return {hash, is_known, std::string(password),
          key_.of({is_known ? "known" : "unknown", name, hash, password})};
}

bool Passwords::remembers(const Claim& claim) const {
  bool found = false;
  for (const Digest& digest : remembered_) found |= are_equal(digest, claim.digest);
  return found && claim.is_known;
}

void Passwords::remember(const Digest& digest) {
  if (remembered_.size() < kMostRemembered) {
    remembered_.push_back(digest);
  } else {
    remembered_[next_] = digest;
    next_ = (next_ + 1) % kMostRemembered;
  }
}

bool Passwords::check(Claim claim, std::function<void(bool)> done) {
  {
    const std::lock_guard lock(work_->mutex);
    if (work_->stopped || work_->waiting.size() >= kMostWaiting) return false;
    work_->waiting.push_back({std::move(claim), std::move(done)});
  }
  if (!thread_.joinable()) thread_ = std::thread([work = work_] { run(work); });
  work_->wakes.notify_one();
  return true;
}

void Passwords::run(const std::shared_ptr<Work>& work) {
  std::unique_lock lock(work->mutex);
  for (;;) {
    work->wakes.wait(lock, [&] { return work->stopped || !work->waiting.empty(); });
    if (work->stopped) return;
    Claim claim = std::move(work->waiting.front().claim);
    work->current = std::move(work->waiting.front().done);
    work->waiting.pop_front();
    lock.unlock();
    // The work is done for an unknown name, too.
    const bool matches = matches_bcrypt(claim.hash, claim.password);
    OPENSSL_cleanse(claim.password.data(), claim.password.size());
    lock.lock();
    if (work->stopped) return;
    std::exchange(work->current, nullptr)(matches && claim.is_known);
  }
}

}  // namespace agent::access
