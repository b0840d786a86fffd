#include "agent/tracker/tracker.h"

#include <utility>

namespace agent::tracker {

Tracker::Tracker(Settings settings)
    : sessions_(std::move(settings.rules), settings.alerts, std::move(settings.model)),
      producers_(settings.max_producers),
      policy_(std::move(settings.alerts)) {}

// The analysis does not follow a lock through a reference held by the batch; the annotations on the
// class do.
Tracker::Batch::Batch(Tracker& tracker, Now at) NO_THREAD_SAFETY_ANALYSIS : tracker_(tracker),
                                                                            at_(at) {
  tracker_.mutex_.lock();
  revision_ = ++tracker_.applied_;
}

Tracker::Batch::~Batch() NO_THREAD_SAFETY_ANALYSIS {
  const bool wake = tracker_.take_wake();
  tracker_.mutex_.unlock();
  if (wake) tracker_.wake_();
}

// Whether this number is new for the producer; from now on it is used up.
bool Tracker::Batch::take_seq(std::string_view name, std::int64_t seq) NO_THREAD_SAFETY_ANALYSIS {
  Producer& producer = tracker_.producers_.touch(name);
  if (seq <= producer.last_seq) return false;
  tracker_.totals_.gaps += static_cast<std::uint64_t>(seq - producer.last_seq - 1);
  producer.last_seq = seq;
  if (tracker_.stores_) tracker_.producers_.mark_changed();
  return true;
}

Result<Applied, progress::Rejection> Tracker::Batch::apply(const progress::Event& event)
    NO_THREAD_SAFETY_ANALYSIS {
  if (event.seq && !event.producer.empty() && !take_seq(event.producer, *event.seq)) {
    ++tracker_.totals_.duplicates;
    tracker_.sessions_.note_duplicate(event.session, at_);
    return Applied::kDuplicate;
  }
  auto applied = tracker_.sessions_.apply(event, at_);
  if (applied && *applied == Applied::kStale) ++tracker_.totals_.stale;
  return applied;
}

void Tracker::Batch::refuse(std::string_view session, std::string_view producer,
                            std::optional<std::int64_t> seq,
                            progress::RejectReason reason) NO_THREAD_SAFETY_ANALYSIS {
  // What was shed may be sent again.
  if (seq && !producer.empty() && reason != progress::RejectReason::kOverloaded)
    take_seq(producer, *seq);
  if (!session.empty()) tracker_.sessions_.note_rejected(session, reason, at_);
}

void Tracker::Batch::observe_workload(const progress::Resources& read) NO_THREAD_SAFETY_ANALYSIS {
  tracker_.sessions_.observe_workload(read, at_);
}

std::int64_t Tracker::last_seq(std::string_view producer) {
  const MutexLock lock(mutex_);
  return producers_.touch(producer).last_seq;
}

Revision Tracker::durable() const {
  const MutexLock lock(mutex_);
  return stores_ ? committed_ : applied_;
}

Revision Tracker::visible() const {
  const MutexLock lock(mutex_);
  return stores_ && !failing_ ? committed_ : applied_;
}

bool Tracker::durable_means_committed() const {
  const MutexLock lock(mutex_);
  return stores_;
}

View Tracker::view(Now at) {
  const MutexLock lock(mutex_);
  const bool runs_ahead = !stores_ || failing_ || !waiting();
  View view{at, {}, own_standing_, runs_ahead ? sessions_.generation() : committed_generation_};
  const auto all = sessions_.in_order();
  view.sessions.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i + 2 < all.size()) all[i + 2]->prefetch();
    if (i + 1 < all.size()) all[i + 1]->prefetch_more(at);
    if (auto snapshot = shown(*all[i], at)) view.sessions.push_back(std::move(snapshot));
  }
  return view;
}

progress::SnapshotPtr Tracker::session(std::string_view id, Now at) {
  const MutexLock lock(mutex_);
  Tracked* tracked = sessions_.find(id);
  return tracked == nullptr ? nullptr : shown(*tracked, at);
}

progress::SnapshotPtr Tracker::session_at(std::string_view id, Now at) {
  const MutexLock lock(mutex_);
  Tracked* tracked = sessions_.find(id);
  return tracked == nullptr ? nullptr : tracked->answer(at);
}

std::optional<Explained> Tracker::explain(std::string_view id, Now at) {
  const MutexLock lock(mutex_);
  Tracked* tracked = sessions_.find(id);
  if (tracked == nullptr) return std::nullopt;
  Explained e{tracked->answer(at), std::nullopt};
  e.eta = tracked->forecaster().explain();
  return e;
}

std::optional<FilesPage> Tracker::files(std::string_view id,
                                        std::optional<progress::FileStatus> status,
                                        std::uint64_t cursor, std::size_t limit) {
  const MutexLock lock(mutex_);
  const Tracked* tracked = sessions_.find(id);
  if (tracked == nullptr) return std::nullopt;
  const progress::Files& files = tracked->session().files();
  FilesPage page;
  page.epoch = files.epoch();
  auto at = files.table().seek(cursor);
  for (; at; at = files.table().next_from(progress::FileTable::after(*at, files.table().at(*at)))) {
    if (status && files.table().at(*at).status != *status) continue;
    if (page.files.size() == limit) {
      page.next = *at;
      break;
    }
    page.files.push_back(files.snapshot(*at));
    page.refs.push_back(*at);
  }
  return page;
}

std::optional<progress::FileSnapshot> Tracker::file(std::string_view id, std::string_view file) {
  const MutexLock lock(mutex_);
  const Tracked* tracked = sessions_.find(id);
  if (tracked == nullptr) return std::nullopt;
  const progress::Files& files = tracked->session().files();
  const auto ref = files.table().find(file);
  if (!ref) return std::nullopt;
  return files.snapshot(*ref);
}

bool Tracker::stop(std::string_view id, Now at) {
  const MutexLock lock(mutex_);
  return sessions_.stop(id, at);
}

std::size_t Tracker::clean_up(Duration max_silence, Now at) {
  const MutexLock lock(mutex_);
  return sessions_.clean_up(max_silence, at);
}

void Tracker::mark_scraped(const View& view) {
  const MutexLock lock(mutex_);
  for (const auto& session : view.sessions) {
    if (session->end_time) sessions_.mark_scraped(session->id(), session->version);
  }
}

std::uint64_t Tracker::generation() const {
  const MutexLock lock(mutex_);
  return sessions_.generation();
}

void Tracker::tick(Now at, alert::AgentHealth health) {
  const MutexLock lock(mutex_);
  sessions_.tick(at);
  sessions_.begin_looks();
  look_at_itself(at, health);
}

bool Tracker::look_on(Now at) {
  const MutexLock lock(mutex_);
  return sessions_.look_on(at);
}

void Tracker::configure(Settings settings, Now at) {
  const MutexLock lock(mutex_);
  sessions_.configure(std::move(settings.rules), settings.alerts, at);
  policy_ = std::move(settings.alerts);
  producers_.set_most(settings.max_producers);
}

EtaErrors Tracker::eta_errors() const {
  const MutexLock lock(mutex_);
  return sessions_.eta_errors();
}

Totals Tracker::totals() const {
  const MutexLock lock(mutex_);
  Totals t = totals_;
  t.sessions_evicted = sessions_.evicted();
  t.files = sessions_.files();
  t.producers = producers_.size();
  t.sessions = sessions_.size();
  t.active = sessions_.active();
  return t;
}

}  // namespace agent::tracker
