#include "agent/web/export.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/web/file_pages.h"
#include "agent/web/json.h"
#include "agent/web/story.h"
#include "agent/web/window.h"

namespace agent::web {
namespace {

using progress::FileSnapshot;

// A format in which each file is written by itself.
struct Table {
  std::string before, between, after;
  void (*put)(std::string& out, const FileSnapshot& file);
};

// ---- JSON

Table as_json(const progress::SessionSnapshot& session) {
  std::string before = session_json(session);
  before.pop_back();  // the closing bracket
  return {before + ",\"files\":[", ",", "]}\n", [](std::string& out, const FileSnapshot& file) {
            JsonWriter json(out);
            write_file(json, file);
          }};
}

// ---- CSV

void append_field(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

// A value as JSON writes it, without quotes; empty: unknown.
template <typename T>
std::string plain(const T& value) {
  std::string out;
  JsonWriter(out).value(value);
  if (out.starts_with('"')) out = out.substr(1, out.size() - 2);
  return out;
}
template <typename T>
std::string plain(const std::optional<T>& value) {
  return value ? plain(*value) : std::string();
}

void put_row(std::string& out, const FileSnapshot& f) {
  append_field(out, f.file);
  for (const std::string& value :
       {std::string(name_of(f.status)), plain(f.progress), f.stage, plain(f.bytes),
        plain(f.bytes_done), plain(f.units), plain(f.tokens), plain(f.cost), f.model,
        plain(f.quality), plain(f.retries), plain(f.tries), f.error, plain(f.started),
        plain(f.ended), plain(f.updated)}) {
    out += ',';
    append_field(out, value);
  }
  out += "\r\n";
}

Table as_csv() {
  return {
      "file,status,progress,stage,bytes,bytesDone,units,tokens,cost,model,quality,retries,"
      "attempts,error,startTime,endTime,updatedTime\r\n",
      "",
      "",
      put_row,
  };
}

// ---- piece by piece

class Rows {
 public:
  Rows(Table table, FilePages pages) : table_(std::move(table)), pages_(std::move(pages)) {}

  Piece next() {
    const auto page = pages_.next();
    if (!page) return {{}, Piece::Then::kBroken};
    Piece piece;
    for (const FileSnapshot& file : page->files) {
      piece.text += std::exchange(first_, false) ? table_.before : table_.between;
      table_.put(piece.text, file);
    }
    if (!pages_.is_done()) return piece;
    if (first_) piece.text += table_.before;
    piece.text += table_.after;
    piece.then = Piece::Then::kEnd;
    return piece;
  }

 private:
  Table table_;
  FilePages pages_;
  bool first_ = true;
};

// A small one is a reply like any other: it is whole, and of one instant.
template <typename Source>
void put_pieces(Reply& reply, Source source) {
  constexpr int kAtOnce = 4;
  const auto shared = std::make_shared<Source>(std::move(source));
  std::string begun;
  Piece::Then then{};
  for (int i = 0; i < kAtOnce && then == Piece::Then::kMore; ++i) {
    const Piece piece = shared->next();
    begun += piece.text;
    then = piece.then;
  }
  if (then == Piece::Then::kEnd) {
    reply.body = Body(std::move(begun));
    return;
  }
  reply.more = [shared, begun = std::move(begun)]() mutable {
    return begun.empty() ? shared->next() : Piece{std::exchange(begun, {}), Piece::Then::kMore};
  };
}

}  // namespace

Reply answer_export(tracker::Tracker& tracker, const Request& request, Now now) {
  const auto session = find_session(tracker, request, now);
  if (!session) return session.error();
  const std::string format(request.target.parameter("format").value_or("json"));
  Reply reply;
  if (format == "json") {
    put_pieces(reply, Rows(as_json(**session), FilePages(tracker, (*session)->id())));
  } else if (format == "ndjson") {
    reply.content_type = "application/x-ndjson";
    put_pieces(reply, Story(tracker, *session));
  } else if (format == "csv") {
    reply.content_type = "text/csv; charset=utf-8";
    put_pieces(reply, Rows(as_csv(), FilePages(tracker, (*session)->id())));
  } else {
    return bad_parameter("format", "json, ndjson or csv");
  }
  reply.fields.emplace_back("Content-Disposition",
                            "attachment; filename=\"session." + format + '"');
  return reply;
}

}  // namespace agent::web
