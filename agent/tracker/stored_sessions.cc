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
// Answers made anew in one commit, while events wait: 20 ms.
constexpr std::ptrdiff_t kMostAnswers = 2'000;
// Before what a glance finds. Earlier versions began with an instant, which is never that.
constexpr std::uint64_t kGlance = 0;
// What may be brought back while events wait: about half a millisecond.
constexpr std::size_t kSlice = std::size_t{48} << 10U;  // bytes

struct Glance {
  bool live = false;
  std::uint64_t files = 0;
};
// Empty, and nothing is taken: there is none.
std::optional<Glance> take_glance(Unpacker& kept) {
  Unpacker ahead = kept;
  if (ahead.number() != kGlance) return std::nullopt;
  Glance glance;
  ahead(glance.live, glance.files);
  kept = ahead;
  return glance;
}

// Forecaster::Early as it was stored before the end had an interval.
struct EarlyPoint {
  std::int64_t attempt = 0;
  Duration total{};
  Instant end;

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.attempt, self.total, self.end);
  }
};

std::size_t bytes_of(const SavedSession& saved) {
  std::size_t bytes = saved.kept.size();
  for (const auto* parts : {&saved.states, &saved.forecasts, &saved.files}) {
    for (const std::string_view part : *parts) bytes += part.size();
  }
  return bytes;
}

}  // namespace

void Tracked::save(Packer& packer) {
  saved_version_ = session_.version();
  packer(progress::ChangeTag::kSession, serial_, session_.files().epoch());
  const std::size_t kept = packer.open();
  packer(kGlance, session_.live(), std::uint64_t{session_.files().size()});
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

bool Tracked::is_answer_old(Now at) const {
  const Duration oldest = std::min(kOldestShown, session_.config().update_interval);
  return !published_ || at.steady - published_at_ >= oldest;
}

void Tracked::renew(Now at) {
  pending_ = make_answer(at, false);
  published_at_ = at.steady;
}

void Tracked::committed() {
  committed_version_ = saved_version_;
  if (pending_) published_ = std::move(pending_);
}

std::optional<AbsentSession> Tracked::glance(const SavedSession& saved) {
  Unpacker kept(saved.kept);
  const auto glance = take_glance(kept);
  if (!glance || !glance->live || saved.states.empty()) return std::nullopt;
  const std::string_view id = progress::Session::id_in(saved.states.front());
  if (!kept.ok() || id.empty()) return std::nullopt;
  return AbsentSession{&saved, id, glance->files};
}

// Nothing but its length tells the layout of the present version from the earlier one.
bool Tracked::load_kept(std::string_view saved, Now at, bool is_earlier) {
  Unpacker kept(saved, at);
  static_cast<void>(take_glance(kept));
  kept(left_at, stopped, scraped);
  if (std::optional<EarlyPoint> point; is_earlier) {
    kept(point);
    forecaster_.early().reset();
    if (point) forecaster_.early() = {point->attempt, point->total, point->end, point->end};
  } else {
    kept(forecaster_.early());
  }
  bool looked = false;
  kept(looked);
  if (!watch_.load(kept) || !kept.empty()) return false;
  if (looked) standing_ = watch_.standing();
  return true;
}

bool Tracked::load(const SavedSession& saved, Now at) {
  if (!load_kept(saved.kept, at, false) && !load_kept(saved.kept, at, true)) return false;
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
  renew_answers(at);
  for (Tracked* tracked : changed_) {
    tracked->session().stored_files().keep_changes();
    tracked->save(packer);
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

// Of more sessions than can be answered while events wait, those that were longest ago: the others
// have their turn with the next commits. None waits for its first answer.
void Sessions::renew_answers(Now at) {
  std::vector<Tracked*> old;
  for (Tracked* tracked : changed_) {
    if (tracked->is_answer_old(at)) old.push_back(tracked);
  }
  const auto known =
      std::partition(old.begin(), old.end(), [](const Tracked* t) { return !t->published(); });
  if (old.end() - known > kMostAnswers) {
    const auto end = known + kMostAnswers;
    std::ranges::nth_element(known, end, old.end(), {}, &Tracked::answered_at);
    old.erase(end, old.end());
  }
  for (Tracked* tracked : old) tracked->renew(at);
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
  for (const auto& [serial, tracked] : all()) {
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

// Null: damaged.
std::unique_ptr<Tracked> Sessions::load(const SavedSession& saved, const Absent& restored) {
  const Now at = restored.restored_at();
  auto made = std::make_unique<Tracked>("", saved.serial, rules_, past(), at.wall, at);
  made->session().stored_files().keep_changes();
  if (!made->load(saved, at)) return nullptr;
  made->session().forgive_silence(restored.gap(), at);
  return made;
}

bool Sessions::restore(std::shared_ptr<const progress::SavedState> given, Now at) {
  const progress::SavedState& state = *given;
  Absent absent(std::move(given), at);
  std::vector<std::unique_ptr<Tracked>> present;
  for (const SavedSession& saved : state.sessions) {
    // Numbers of those that began before storage could be read may have to change: at once.
    const auto glance = by_serial_.empty() ? Tracked::glance(saved) : std::nullopt;
    if (glance && absent.add(*glance)) continue;
    if (!present.emplace_back(load(saved, absent))) return false;
  }
  restore_families(state.families);
  next_serial_ = std::max(next_serial_, state.next_serial);
  by_id_.reserve(by_id_.size() + state.sessions.size());
  for (auto& tracked : present) adopt(std::move(tracked));
  absent_ = std::move(absent);
  active_ += absent_.size();
  files_ += absent_.files();
  note_over();
  for (const std::string_view name : state.stopped) {
    if (stopped_.emplace(name).second) stopped_order_.emplace_back(name);
  }
  ++generation_;
  return true;
}

// Who is over, in the order in which they came to be.
void Sessions::note_over() {
  left_.clear();
  std::vector<const Tracked*> over;
  for (const auto& [serial, tracked] : by_serial_) {
    if (!tracked->session().live()) over.push_back(tracked.get());
  }
  std::ranges::stable_sort(over, {}, &Tracked::left_at);
  for (const Tracked* tracked : over) left_.push_back(tracked->serial());
}

void Sessions::bring_back(const AbsentSession& session) {
  --active_;
  files_ -= session.files;
  auto made = load(*session.saved, absent_);
  if (made && made->session().live() && made->id() == session.id)
    adopt(std::move(made));
  else
    damaged_ = true;
  if (absent_.empty()) absent_ = {};
}

void Sessions::bring_back_some() {
  for (std::size_t left = kSlice; !absent_.empty() && left > 0;) {
    const AbsentSession session = absent_.take_first();
    left -= std::min(left, bytes_of(*session.saved));
    bring_back(session);
  }
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
    in_order_.clear();
  }
  if (!by_id_.emplace(tracked.id(), &tracked).second) {
    gone_.push_back(serial);
    return;
  }
  by_serial_.emplace(serial, std::move(made));
  in_order_.clear();
  files_ += tracked.session().files().size();
  if (tracked.session().live()) ++active_;
}

}  // namespace agent::tracker
