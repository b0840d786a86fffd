#include "agent/history/fold.h"

#include <algorithm>

#include "agent/alert/alert.h"
#include "agent/eta/estimator.h"
#include "agent/history/places.h"
#include "agent/progress/file_record.h"

namespace agent::history {

using progress::FileRecord;
using progress::Session;

namespace {

constexpr int kDamagedBytes = 11;         // SQLITE_CORRUPT
constexpr std::size_t kRecordRead = 256;  // bytes of changes read in the time of a record

[[noreturn]] void damaged(const char* what) { throw Failure{kDamagedBytes, what}; }

std::vector<FileImage> records_of(const RecordLists& lists) {
  auto files = last_records(lists);
  if (!files) damaged("read the records of files");
  return *std::move(files);
}

// Up to which revision one that was interrupted took them; empty: none was.
std::optional<std::int64_t> interrupted_at(Database& database) {
  Statement row = database.prepare(
      "SELECT value FROM meta WHERE name = 'folding' AND EXISTS (SELECT 1 FROM live_changes WHERE "
      "revision <= value)");
  return row.step() ? std::optional(row.integer(0)) : std::nullopt;
}

// Steady time does not matter to what is only stored.
Now stored_now(Instant at) { return {at, SteadyInstant(at.time_since_epoch())}; }

}  // namespace

Fold::Fold(Database& database, std::size_t bytes)
    : database_(database),
      rows_(database),
      get_session_(database.prepare("SELECT epoch, is_over, state, forecast FROM live_sessions "
                                    "WHERE serial = ?")),
      put_session_(database.prepare("INSERT OR REPLACE INTO live_sessions VALUES (?,?,?,?,?,?,?)")),
      drop_session_(database.prepare("DELETE FROM live_sessions WHERE serial = ?")),
      get_chunk_(database.prepare("SELECT epoch, records FROM live_files WHERE place = ?")),
      put_chunk_(database.prepare("INSERT OR REPLACE INTO live_files VALUES (?,?,?)")),
      drop_chunks_(database.prepare("DELETE FROM live_files WHERE place >= ? AND place < ?")),
      get_chunks_(database.prepare("SELECT records FROM live_files WHERE place >= ? AND place < ? "
                                   "AND epoch = ?")),
      drop_changes_(database.prepare("DELETE FROM live_changes WHERE revision <= ?")),
      put_producer_(database.prepare(
          "INSERT OR REPLACE INTO producers SELECT ?1, ?2, 1 + coalesce(max(position), 0) "
          "FROM producers")),
      put_stopped_(database.prepare("INSERT OR REPLACE INTO live_stopped (session_id) VALUES (?)")),
      drop_stopped_(database.prepare("DELETE FROM live_stopped WHERE session_id = ?")),
      put_family_(database.prepare(
          "INSERT OR REPLACE INTO family_history SELECT ?1, 1 + coalesce(max(position), 0), ?2 "
          "FROM family_history")),
      put_meta_(database.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)")),
      get_stored_(database.prepare("SELECT epoch, revision FROM live_sessions WHERE serial = ?")),
      interrupted_at_(interrupted_at(database)),
      backlog_(database, interrupted_at_.value_or(INT64_MAX)),
      most_bytes_(interrupted_at_ ? SIZE_MAX : bytes),
      next_serial_(static_cast<std::uint64_t>(
          database.integer("SELECT value FROM meta WHERE name = 'next_serial'"))),
      image_([this](std::uint64_t serial) { return stored_of(serial); }) {}

std::optional<Image::Stored> Fold::stored_of(std::uint64_t serial) {
  get_stored_.bind(serial);
  if (!get_stored_.step()) return std::nullopt;
  const Image::Stored stored{get_stored_.number(0), get_stored_.number(1)};
  get_stored_.reset();
  return stored;
}

// As much as the budget allows; what must be known before the first session is folded is all there.
void Fold::read() {
  const std::size_t before = backlog_.bytes();
  backlog_.read(bytes_, image_, std::min(most_bytes_ - before, budget_ * kRecordRead));
  budget_ -= std::min(budget_, (backlog_.bytes() - before) / kRecordRead);
  if (!is_read()) return;
  image_.settle();
  now_ = stored_now(image_.head().at);
  at_ = image_.sessions().begin();
  put_meta_.bind_text("folding").bind(image_.head().revision).run();
}

bool Fold::step(std::size_t records) {
  if (ended_) return true;
  budget_ = records;
  if (!is_read()) read();
  if (!is_read()) return false;
  while (at_ != image_.sessions().end() && budget_ > 0) {
    if (!at_->second.changed || was_dropped()) {
      pass();
      continue;
    }
    if (!session_) begin_session();
    while (file_ < files_.size() && budget_ > 0) {
      std::size_t end = file_ + 1;
      while (end < files_.size() && chunk_of(files_[end].ref) == chunk_of(files_[file_].ref)) ++end;
      put_chunk(&files_[file_], files_.data() + end);
      budget_ -= std::min(budget_, end - file_);
      file_ = end;
    }
    if (file_ < files_.size()) return false;
    end_session();
  }
  if (at_ != image_.sessions().end()) return false;
  end();
  return true;
}

// By this fold before it was interrupted: its changes alone make no session.
bool Fold::was_dropped() const {
  return at_->second.gone && !at_->second.stored && at_->first < next_serial_;
}

void Fold::pass() {
  ++at_;
  ++passed_;
}

std::size_t Fold::bytes_done() const {
  if (ended_) return backlog_.bytes();
  const std::size_t sessions = std::max<std::size_t>(1, image_.sessions().size());
  return static_cast<std::size_t>(static_cast<double>(backlog_.bytes()) *
                                  static_cast<double>(passed_) / static_cast<double>(sessions));
}

void Fold::load(std::string_view state) {
  if (!session_->load(state, now_)) damaged("read the state of a session");
}

void Fold::begin_session() {
  const auto& [serial, image] = *at_;
  session_ = std::make_unique<Session>("", rules_, now_.wall, now_);
  files_ = records_of(image.files);
  file_ = 0;
  base_epoch_ = 0;
  was_over_ = false;
  forecast_.clear();
  std::optional<std::string> base;
  get_session_.bind(serial);
  if (get_session_.step()) {
    base_epoch_ = get_session_.number(0);
    was_over_ = get_session_.integer(1) != 0;
    base = get_session_.bytes(2);
    forecast_ = get_session_.bytes(3);
  }
  get_session_.reset();
  if (base) load(*base);
  const bool void_files = image.epoch_changed || image.gone;
  if (base && void_files && !was_over_) put_unfinished();

  // The first state of a session that the tables have is the base.
  auto former = image.former.begin();
  for (std::size_t i = base ? 1 : 0; i < image.states.size(); ++i) {
    for (; former != image.former.end() && former->states == i; ++former) put_former(*former);
    load(image.states[i]);
  }
  if (void_files) drop_chunks_.bind(first_place(serial)).bind(first_place(serial + 1)).run();
  budget_ -= std::min<std::size_t>(budget_, 20 + image.states.size());
}

// The end of an attempt, or of a stale session's list: what it was becomes history.
void Fold::put_former(const FormerFiles& former) {
  if (session_->id().empty() || !keeps_history()) return;
  rows_.put_session(at_->first, session_->snapshot(now_), now_);
  for (const FileImage& file : records_of(former.files)) {
    FileRecord record;
    if (!record.load(file.record)) damaged("read the record of a file");
    rows_.put_file(at_->first, session_->identity()->attempt, record, session_->files());
  }
}

void Fold::put_if_final(const FileRecord& record) {
  if (progress::is_final(record.file.status) && keeps_history())
    rows_.put_file(at_->first, session_->identity()->attempt, record, session_->files());
}

// Files that will not become final any more.
void Fold::put_unfinished() {
  if (!keeps_history()) return;
  get_chunks_.bind(first_place(at_->first)).bind(first_place(at_->first + 1)).bind(base_epoch_);
  while (get_chunks_.step()) {
    const bool whole = progress::read_parts(get_chunks_.bytes(0), [&](auto bytes) {
      FileRecord record;
      if (!record.load(bytes)) damaged("read the record of a file");
      if (!progress::is_final(record.file.status))
        rows_.put_file(at_->first, session_->identity()->attempt, record, session_->files());
    });
    if (!whole) damaged("read the records of files");
  }
}

// Merges new records into the stored ones of the same chunk; both are in order.
void Fold::put_chunk(const FileImage* from, const FileImage* to) {
  const std::uint64_t place = first_place(at_->first) + chunk_of(from->ref);
  for (const FileImage* file = from; file != to; ++file) {
    FileRecord record;
    if (!record.load(file->record)) damaged("read the record of a file");
    put_if_final(record);
  }
  std::vector<std::string_view> merged;
  get_chunk_.bind(place);
  if (get_chunk_.step() && get_chunk_.number(0) == at_->second.epoch) {
    const bool whole = progress::read_parts(get_chunk_.bytes(1), [&](auto record) {
      const progress::FileRef ref = FileRecord::ref_of(record);
      for (; from != to && from->ref < ref; ++from) merged.push_back(from->record);
      if (from == to || from->ref != ref) merged.push_back(record);
    });
    if (!whole) damaged("read the records of files");
  }
  for (; from != to; ++from) merged.push_back(from->record);
  packer_.clear(now_);
  progress::put_parts(packer_, merged);
  get_chunk_.reset();
  put_chunk_.bind(place).bind(at_->second.epoch).bind_blob(packer_.bytes()).run();
}

void Fold::end_session() {
  const auto& [serial, image] = *at_;
  const bool is_over = !session_->live();
  base_epoch_ = image.epoch;
  if (keeps_history() && !session_->id().empty()) {
    rows_.put_session(serial, session_->snapshot(now_), now_);
    put_told();
    put_alerts();
    if ((is_over || image.gone) && !was_over_) put_unfinished();
  }
  if (image.gone) {
    drop_chunks_.bind(first_place(serial)).bind(first_place(serial + 1)).run();
    drop_session_.bind(serial).run();
  } else {
    const std::string forecast = merged_forecast();
    session_->forget_saved();
    packer_.clear(now_);
    session_->save(packer_);
    put_session_.bind(serial).bind(image.epoch).bind(image.revision);
    put_session_.bind(std::int64_t{is_over}).bind_blob(image.kept).bind_blob(forecast);
    put_session_.bind_blob(packer_.bytes()).run();
  }
  session_.reset();
  pass();
}

// Its forecaster in one part, and what it was told after that. One that cannot be read is done
// without: forecasts get worse, nothing else.
std::string Fold::merged_forecast() {
  const SessionImage& image = at_->second;
  std::vector<std::string_view> parts;
  if (!image.forecast_void &&
      !progress::read_parts(forecast_, [&](std::string_view part) { parts.push_back(part); }))
    parts.clear();
  parts.insert(parts.end(), image.forecasts.begin(), image.forecasts.end());
  const auto logs =
      std::ranges::find_if_not(parts.rbegin(), parts.rend(), eta::Estimator::is_log).base();
  progress::Packer merged;
  if (logs - parts.begin() > 1) {
    eta::Estimator estimator(Instant{}, {});
    for (auto part = parts.begin(); part != logs; ++part) {
      if (!eta::Estimator::is_log(*part) && !estimator.load(*part)) return {};
    }
    estimator.forget_saved();
    estimator.save(merged);
    parts.erase(parts.begin(), logs - 1);
    parts.front() = merged.bytes();
  }
  packer_.clear(now_);
  progress::put_parts(packer_, parts);
  return std::string(packer_.bytes());
}

// What was foretold in this commit's minute, and what the forecasts were worth.
void Fold::put_told() {
  if (at_->second.told.empty() || !session_->config().analytics) return;
  progress::Foretold told;
  progress::Unpacker in(at_->second.told, now_);
  in(told);
  if (!in.ok()) damaged("read what was foretold of a session");
  rows_.put_foretold(at_->first, session_->identity()->attempt, told);
}

// What a rule said that this version does not have is left out.
void Fold::put_alerts() {
  for (const progress::AlertChange& change : at_->second.alerts) {
    progress::Unpacker in(change.record, now_);
    const auto rule = alert::find_rule(in.text());
    alert::Alert alert;
    in(alert);
    if (!in.ok() || !in.empty()) damaged("read an alert of a session");
    if (!rule) continue;
    alert.rule = *rule;
    rows_.put_alert(at_->first, change.attempt, alert, change.at);
  }
}

void Fold::end() {
  for (const progress::ProducerChange& producer : image_.producers())
    put_producer_.bind_text(producer.name).bind(producer.last_seq).run();
  for (const progress::StoppedChange& change : image_.stopped()) {
    Statement& statement = change.stopped ? put_stopped_ : drop_stopped_;
    statement.bind_text(change.session).run();
  }
  for (const progress::FamilyChange& family : image_.families())
    put_family_.bind_text(family.name).bind_blob(family.record).run();
  const progress::ChangesHead& head = image_.head();
  if (head.revision > 0) {
    put_meta_.bind_text("next_serial").bind(head.next_serial).run();
    put_meta_.bind_text("revision").bind(head.revision).run();
    put_meta_.bind_text("committed_at").bind(head.at.time_since_epoch().count()).run();
    drop_changes_.bind(head.revision).run();
  }
  ended_ = true;
}

}  // namespace agent::history
