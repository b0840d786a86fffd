// What storage keeps of the set of sessions, and how it comes back: see sessions.h.
#include <algorithm>

#include "agent/tracker/sessions.h"

namespace agent::tracker {

using progress::Packer;
using progress::SavedSession;
using progress::Unpacker;

namespace {

// With storage on, a session that changes all the time is shown at most this old.
constexpr Duration kOldestShown = std::chrono::seconds(1);

}  // namespace

void Tracked::save(Packer& packer, Now at) {
  saved_version_ = session_.version();
  const Duration oldest = std::min(kOldestShown, session_.config().update_interval);
  if (!published_ || at.steady - published_at_ >= oldest) {
    pending_ = make_answer(at, false);
    published_at_ = at.steady;
  }
  packer(progress::ChangeTag::kSession, serial_, session_.files().epoch());
  const std::size_t kept = packer.open();
  packer(left_at, stopped, scraped, forecaster_.early());
  packer(standing_ != nullptr);
  watch_.save(packer);
  packer.close(kept);
  const std::size_t forecast = packer.open();
  forecaster_.save(packer);
  packer.close(forecast);
  const std::size_t told = packer.open();
  if (told_.at != Instant::min()) packer(told_);
  packer.close(told);
  const std::size_t state = packer.open();
  session_.save(packer);
  packer.close(state);
  const std::size_t files = packer.open();
  session_.stored_files().save_changed(packer);
  packer.close(files);
}

void Tracked::committed() {
  committed_version_ = saved_version_;
  if (pending_) published_ = std::move(pending_);
}

bool Tracked::load(const SavedSession& saved, Now at) {
  Unpacker kept(saved.kept, at);
  kept(left_at, stopped, scraped, forecaster_.early());
  bool looked = false;
  kept(looked);
  if (!watch_.load(kept) || !kept.empty()) return false;
  if (looked) standing_ = watch_.standing();
  for (const std::string_view state : saved.states) {
    if (!session_.load(state, at)) return false;
  }
  for (const std::string_view list : saved.files) {
    if (!session_.stored_files().load_records(list)) return false;
  }
  if (session_.live()) forecaster_.load_later(saved.forecasts);
  stored = true;
  id_ = session_.id();
  saved_version_ = committed_version_ = session_.version();
  return session_.stored_files().end_loading() && !id_.empty();
}

void Sessions::untouch(Tracked& tracked) {
  if (!keeps_changes_) return;
  if (tracked.stored) gone_.push_back(tracked.serial());
  if (tracked.changed_place == 0) return;
  Tracked*& place = changed_[tracked.changed_place - 1];
  place = changed_.back();
  place->changed_place = tracked.changed_place;
  changed_.pop_back();
  tracked.changed_place = 0;
}

void Sessions::save_changes(Packer& packer, Now at, std::vector<std::uint64_t>& saved) {
  using progress::put;
  saved.clear();
  for (Tracked* tracked : changed_) {
    tracked->session().stored_files().keep_changes();
    tracked->save(packer, at);
    tracked->changed_place = 0;
    tracked->stored = true;
    saved.push_back(tracked->serial());
  }
  for (const std::uint64_t serial : gone_) put(packer, progress::SessionGone{serial});
  for (const auto& [name, stopped] : stopped_changes_)
    put(packer, progress::StoppedChange{name, stopped});
  save_families(packer);
  save_alerts(packer, at.wall);
  changed_.clear();
  gone_.clear();
  stopped_changes_.clear();
}

void Sessions::save_families(Packer& packer) {
  using progress::put;
  eta::History::Changes changes = history_.take_changes();
  if (std::exchange(families_unsaved_, false)) changes = {history_.names(), {}, true};
  if (changes.overall) {
    Packer overall;
    overall(history_.overall());
    put(packer, progress::FamilyChange{"", overall.bytes()});
  }
  for (const std::string& name : changes.changed) {
    const std::string record = eta::History::encode(*history_.family(name));
    put(packer, progress::FamilyChange{name, record});
  }
}

// What never fired was no alert, unless somebody dismissed it.
void Sessions::keep_alert(const Tracked& tracked, const alert::Alert& alert) {
  if (!keeps_changes_ || !tracked.session().config().persistence) return;
  if (!alert.starts_at && !alert.dismissed) return;
  alerts_.push_back({tracked.serial(), tracked.session().identity()->attempt, alert});
  if (alerts_.size() > kMostAlertChanges) alerts_.pop_front();
}

// Of the changes, those from `from` on.
void Sessions::keep_alerts(const Tracked& tracked, std::size_t from) {
  for (std::size_t i = from; i < alert_changes_.size(); ++i) keep_alert(tracked, alert_changes_[i]);
}

void Sessions::save_alerts(Packer& packer, Instant at) {
  using progress::put;
  Packer record;
  for (const ChangedAlert& changed : alerts_) {
    record.clear(packer.now());
    record.text(changed.alert.name());
    record(changed.alert);
    put(packer, progress::AlertChange{changed.serial, changed.attempt, at, record.bytes()});
  }
  alerts_.clear();
}

// What cannot be read is done without. What was learned since the start goes before it.
void Sessions::restore_families(const std::vector<progress::FamilyChange>& families) {
  const bool has_learned = !history_.names().empty();
  for (const progress::FamilyChange& family : families) {
    if (family.name.empty()) {
      eta::MethodRecord overall;
      Unpacker in(family.record);
      in(overall);
      if (in.ok() && !has_learned) history_.restore(overall);
    } else if (history_.family(family.name) == nullptr || !has_learned) {
      if (auto record = eta::History::decode(family.record))
        history_.restore(family.name, *std::move(record));
    }
  }
}

void Sessions::committed(const std::vector<std::uint64_t>& saved) {
  for (const std::uint64_t serial : saved) {
    if (const auto found = by_serial_.find(serial); found != by_serial_.end())
      found->second->committed();
  }
}

void Sessions::forget_saved() {
  gone_.clear();
  stopped_changes_.clear();
  for (const std::string& name : stopped_order_) stopped_changes_.emplace_back(name, true);
  families_unsaved_ = true;
  for (const auto& [serial, tracked] : by_serial_) {
    tracked->session().forget_saved();
    tracked->forecaster().forget_saved();
    tracked->stored = false;
    touch(*tracked);
    if (const auto& standing = tracked->standing()) {
      for (const alert::Alert& alert : standing->resolved) keep_alert(*tracked, alert);
      for (const alert::Alert& alert : standing->current) keep_alert(*tracked, alert);
    }
  }
}

bool Sessions::restore(const progress::SavedState& state, Now at) {
  const Duration not_listening = at.wall - state.committed_at;
  std::vector<std::unique_ptr<Tracked>> restored;
  restored.reserve(state.sessions.size());
  for (const SavedSession& saved : state.sessions) {
    Tracked& tracked = *restored.emplace_back(
        std::make_unique<Tracked>("", saved.serial, rules_, past(), at.wall, at));
    tracked.session().stored_files().keep_changes();
    if (!tracked.load(saved, at)) return false;
    tracked.session().forgive_silence(not_listening, at);
  }
  restore_families(state.families);
  by_id_.reserve(by_id_.size() + restored.size());
  next_serial_ = std::max(next_serial_, state.next_serial);
  for (auto& tracked : restored) adopt(std::move(tracked));
  left_.clear();
  std::vector<const Tracked*> over;
  for (const auto& [serial, tracked] : by_serial_) {
    if (!tracked->session().live()) over.push_back(tracked.get());
  }
  std::ranges::stable_sort(over, {}, &Tracked::left_at);
  for (const Tracked* tracked : over) left_.push_back(tracked->serial());
  for (const std::string_view name : state.stopped) {
    if (stopped_.emplace(name).second) stopped_order_.emplace_back(name);
  }
  ++generation_;
  return true;
}

void Sessions::adopt(std::unique_ptr<Tracked> made) {
  Tracked& tracked = *made;
  const std::uint64_t serial = tracked.serial();
  // Storage knows this number: one that is here already, and that it does not know, takes another.
  if (auto taken = by_serial_.extract(serial)) {
    taken.key() = next_serial_++;
    taken.mapped()->renumber(taken.key());
    std::ranges::replace(left_, serial, taken.key());
    for (ChangedAlert& changed : alerts_) {
      if (changed.serial == serial) changed.serial = taken.key();
    }
    by_serial_.insert(std::move(taken));
  }
  if (!by_id_.emplace(tracked.id(), &tracked).second) {
    gone_.push_back(serial);
    return;
  }
  by_serial_.emplace(serial, std::move(made));
  files_ += tracked.session().files().size();
  if (tracked.session().live()) ++active_;
}

}  // namespace agent::tracker
