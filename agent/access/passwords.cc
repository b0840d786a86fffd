#include "agent/access/passwords.h"

#include <openssl/crypto.h>
#include <sys/resource.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "agent/access/bcrypt.h"

namespace agent::access {
namespace {

constexpr int kNiceness = 5;  // a third of the event loop's share where both want the same core

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
    work_->turns.clear();
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
  const Digest whose = key_.of({is_known ? "known" : "unknown", name, hash});
  const Digest all = key_.of({is_known ? "known" : "unknown", name, hash, password});
  return {hash, is_known, std::string(password), {whose, all}};
}

bool Passwords::remembers(const Claim& claim) const {
  bool found = false;
  for (const Proof& proof : remembered_) found |= are_equal(proof.all, claim.proof.all);
  return found && claim.is_known;
}

void Passwords::remember(const Proof& proof) {
  const auto same = std::ranges::find(remembered_, proof.user, &Proof::user);
  if (same != remembered_.end()) {
    *same = proof;
  } else if (remembered_.size() < kMostRemembered) {
    remembered_.push_back(proof);
  } else {
    remembered_[next_] = proof;
    next_ = (next_ + 1) % kMostRemembered;
  }
}

void Passwords::check(Sender sender, Claim claim, std::function<void(Verdict)> done) {
  std::optional<Check> refused;
  {
    Check check{std::move(claim), std::move(done)};
    const std::lock_guard lock(work_->mutex);
    refused = work_->stopped ? std::move(check) : work_->turns.add(sender, std::move(check));
  }
  if (!refused && !thread_.joinable()) thread_ = std::thread([work = work_] { run(work); });
  work_->wakes.notify_one();
  if (refused) refused->done(Verdict::kTooManyWait);
}

void Passwords::run(const std::shared_ptr<Work>& work) {
  ::setpriority(PRIO_PROCESS, 0, kNiceness);  // of this thread
  std::unique_lock lock(work->mutex);
  while (!work->stopped) {
    const SteadyInstant begun = work->clock.now().steady;
    auto turn = work->turns.next(begun);
    if (!turn) {
      const auto due = work->turns.due();
      due ? static_cast<void>(work->wakes.wait_until(lock, *due)) : work->wakes.wait(lock);
      continue;
    }
    Claim claim = std::move(turn->second.claim);
    work->current = std::move(turn->second.done);
    lock.unlock();
    // The work is done for an unknown name, too.
    const bool matches = matches_bcrypt(claim.hash, claim.password);
    OPENSSL_cleanse(claim.password.data(), claim.password.size());
    const bool is_good = matches && claim.is_known;
    lock.lock();
    if (work->stopped) return;
    const SteadyInstant now = work->clock.now().steady;
    if (!is_good) work->turns.was_wrong(turn->first, now - begun, now);
    std::exchange(work->current, nullptr)(is_good ? Verdict::kGood : Verdict::kWrong);
  }
}

}  // namespace agent::access
