// FilePages: all files of one session, in the order first seen, a page at a time: so that whoever
// reads them all holds few of them and keeps nobody waiting. Event loop only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "agent/tracker/tracker.h"

namespace agent::web {

class FilePages {
 public:
  static constexpr std::size_t kPage = 500;

  FilePages(tracker::Tracker& tracker, std::string session)
      : tracker_(tracker), session_(std::move(session)) {}

  // The next page, until `is_done`. Empty: the list was begun anew meanwhile, or its session is
  // gone.
  std::optional<tracker::FilesPage> next() {
    auto page = read(cursor_, kPage);
    if (!page) return page;
    is_done_ = !page->next;
    cursor_ = page->next.value_or(0);
    return page;
  }
  [[nodiscard]] bool is_done() const { return is_done_; }

  // One file that a page named; empty as for `next`.
  std::optional<progress::FileSnapshot> file(progress::FileRef ref) {
    auto page = read(ref, 1);
    if (!page || page->refs.empty() || page->refs.front() != ref) return std::nullopt;
    return std::move(page->files.front());
  }

 private:
  std::optional<tracker::FilesPage> read(std::uint64_t cursor, std::size_t limit) {
    auto page = tracker_.files(session_, std::nullopt, cursor, limit);
    if (page && page->epoch != epoch_.value_or(page->epoch)) page.reset();
    if (page) epoch_ = page->epoch;
    return page;
  }

  tracker::Tracker& tracker_;
  const std::string session_;
  std::uint64_t cursor_ = 0;
  std::optional<std::uint64_t> epoch_;  // of the first page
  bool is_done_ = false;
};

}  // namespace agent::web
