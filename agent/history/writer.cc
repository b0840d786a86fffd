#include "agent/history/writer.h"

#include <algorithm>
#include <utility>

#include "agent/log/log.h"

namespace agent::history {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kFirstPause = milliseconds(10);
constexpr Duration kLongestPause = milliseconds(500);
constexpr Duration kQuiet = milliseconds(200);  // without a commit: time to tidy up
constexpr Duration kFirstQuiet = seconds(2);    // more than that, after a start: senders come
constexpr Duration kRetainEvery = seconds(30);
constexpr Duration kIdle = seconds(1);                        // the longest sleep
constexpr Duration kBreath = std::chrono::microseconds(100);  // for events, while restoring
constexpr std::size_t kFoldRecords = 2'000;                   // in one step: about 5 ms
constexpr std::size_t kKeepBuffer = 4U << 20U;                // bytes
constexpr const char* kDamagedState = "the stored state of the sessions is damaged";

// Which lives with all that it refers to.
std::shared_ptr<const progress::SavedState> state_of(std::shared_ptr<const Loaded> loaded) {
  const progress::SavedState* const state = &loaded->state;
  return {std::move(loaded), state};
}

}  // namespace

void Writer::open() {
  // The second time with a new file, when the first found one that cannot be used.
  if (!open_store() && restored_) open_store();
}

void Writer::start() {
  thread_ = std::thread([this] { run(); });
}

void Writer::stop(Duration patience) {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    deadline_ = steady() + patience;
  }
  woken_.notify_one();
  thread_.join();
  store_.reset();
}

void Writer::wake() {
  {
    const std::lock_guard lock(mutex_);
    awake_ = true;
  }
  woken_.notify_one();
}

void Writer::configure(Pace pace) {
  const std::lock_guard lock(mutex_);
  new_pace_ = pace;
}

WriterState Writer::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void Writer::run() {
  while (turn()) {
  }
}

// False: it is over.
bool Writer::turn() {
  bool stopping = false;
  SteadyInstant deadline;
  {
    const std::lock_guard lock(mutex_);
    stopping = stopping_;
    deadline = deadline_;
    if (new_pace_) pace_ = *std::exchange(new_pace_, std::nullopt);
  }
  if (stopping && steady() >= deadline) return false;
  if (!store_ && !open_store()) {
    sleep(pause_, false);
    return true;
  }
  const SteadyInstant begun = steady();
  if (!gathered_) gathered_ = source_.gather(packer_, clock_.now());
  if (gathered_) {
    last_begun_ = begun;
    const std::size_t bytes = packer_.size();
    commit();
    if (pause_ > Duration::zero()) {
      sleep(pause_, false);
      return true;
    }
    if (restoring_) restore_more();
    if (store_ && should_tidy()) tidy_after(bytes);
    if (!stopping) sleep(pace_.commit_interval - (steady() - last_begun_), false);
    return true;
  }
  if (restoring_ && !stopping) {
    restore_more();
    sleep(kBreath, true);
    return true;
  }
  if (stopping && (!store_->can_fold() || pause_ > Duration::zero())) return false;
  if (stopping || steady() - last_committed_ >= kQuiet) {
    if (store_->can_fold() || should_retain()) {
      tidy();
      if (pause_ == Duration::zero()) return true;
    }
    if (store_) store_->shorten_log(true);
    const bool failing = pause_ > Duration::zero();
    sleep(failing ? pause_ : kIdle, !failing);
  } else {
    sleep(kQuiet, true);
  }
  return true;
}

void Writer::commit() {
  auto done = store_->append(*gathered_, packer_.bytes());
  if (!done) return failed(done.error());
  gathered_.reset();
  packer_.clear({});
  packer_.shrink(kKeepBuffer);
  last_committed_ = steady();
  source_.committed();
  if (store_->commits() > 1) store_->shorten_log(false);
  succeeded();
}

// Though commits go on; but for the first since the start: who waits for the second does not wait
// for what the last run left behind, too.
bool Writer::should_tidy() const {
  if (store_->commits() <= 1) return false;
  return store_->must_fold() || should_retain() || steady() - last_folded_ >= options_.fold_after;
}

bool Writer::should_retain() const {
  return must_retain_ || steady() - last_retained_ >= kRetainEvery;
}

// After a commit of so many bytes. Folding takes the more of what waits the further it is behind,
// as much as comes and more, so that however much that is, a restart finds hardly more than should
// wait.
void Writer::tidy_after(std::size_t bytes) {
  constexpr double kSteepness = 4, kMost = 10;
  const double most = static_cast<double>(store_->most_waiting());
  const double over = static_cast<double>(store_->waiting()) / most - 1;
  const double share = std::clamp(kSteepness * over, 0.0, kMost);
  const auto take = static_cast<std::size_t>(share * static_cast<double>(bytes));
  const std::size_t before = store_->waiting();
  do {
    tidy();
  } while (store_ && pause_ == Duration::zero() && store_->must_fold() &&
           store_->waiting() + take > before);
}

// A step of folding or of forgetting; a fold that was begun goes before.
void Writer::tidy() {
  if (store_->can_fold() && (store_->must_fold() || !should_retain())) {
    auto done = store_->fold(kFoldRecords);
    if (!done) return failed(done.error());
    if (*done) last_folded_ = steady();
  } else {
    auto done = store_->retain(clock_.now().wall - pace_.retention);
    if (!done) return failed(done.error());
    must_retain_ = !*done;
    last_retained_ = steady();
  }
  store_->shorten_log(false);
  succeeded();
}

bool Writer::open_store() {
  auto opened = Store::open(options_.store);
  if (opened && !restored_) {
    auto loaded = (*opened)->load();
    if (!loaded) {
      opened = failure(loaded.error());
    } else if (!source_.restore(state_of(*std::move(loaded)), clock_.now())) {
      opened = failure(StoreFault{true, kDamagedState});
    } else {
      restored_ = restoring_ = true;
    }
  }
  if (!opened) {
    failed(opened.error());
    return false;
  }
  store_ = std::move(*opened);
  last_folded_ = steady();
  last_committed_ = last_folded_ + kFirstQuiet;
  succeeded();
  return true;
}

// What was restored and could wait until now.
void Writer::restore_more() {
  const progress::Restoring how = source_.restore_more();
  restoring_ = how == progress::Restoring::kGoesOn;
  if (how == progress::Restoring::kDamaged) failed({true, kDamagedState});
}

void Writer::failed(const StoreFault& fault) {
  const bool is_first = !state().failing;
  if (is_first) source_.storage_fails(true);  // who reads the state finds it shown already
  {
    const std::lock_guard lock(mutex_);
    state_.failing = true;
    state_.last_error = fault.message;
    ++state_.errors;
    state_.waiting = gathered_.has_value();
  }
  pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
  if (is_first) {
    log::error("storage fails; events are tracked and not acknowledged until it works again",
               {{"folder", options_.store.folder.string()}, {"error", fault.message}});
  }
  if (fault.damaged) begin_anew(fault.message);
}

void Writer::begin_anew(const std::string& why) {
  store_.reset();
  const std::string done = Store::set_aside(options_.store, clock_.now().wall);
  log::error("the database cannot be used and is begun anew",
             {{"folder", options_.store.folder.string()}, {"error", why}, {"file", done}});
  restored_ = true;  // there is nothing to restore
  gathered_.reset();
  source_.forget_saved();
  const std::lock_guard lock(mutex_);
  ++state_.set_aside;
}

void Writer::succeeded() {
  bool was_failing = false;
  {
    const std::lock_guard lock(mutex_);
    was_failing = state_.failing;
    state_.failing = gathered_.has_value();
    state_.waiting = gathered_.has_value();
    if (!state_.failing) state_.last_error.clear();
    if (store_) state_.commits = store_->commits();
    was_failing = was_failing && !state_.failing;
  }
  if (!gathered_) pause_ = Duration::zero();
  if (!was_failing) return;
  source_.storage_fails(false);
  log::info("storage works again", {{"folder", options_.store.folder.string()}});
}

// At most `time`; less when stopping begins and, if `wakes`, when something is to be committed.
void Writer::sleep(Duration time, bool wakes) {
  if (time <= Duration::zero()) return;
  std::unique_lock lock(mutex_);
  const bool was_stopping = stopping_;
  woken_.wait_for(lock, time, [&] { return stopping_ != was_stopping || (awake_ && wakes); });
  awake_ = false;
}

}  // namespace agent::history
