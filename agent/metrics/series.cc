#include "agent/metrics/series.h"

#include <algorithm>
#include <cmath>

namespace agent::metrics {
namespace {

bool same(std::span<const double> a, std::span<const double> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

std::vector<std::string> spell(std::span<const double> bounds) {
  std::vector<std::string> texts;
  for (const double bound : bounds) texts.push_back(",le=\"" + bound_text(bound) + "\"} ");
  texts.emplace_back(",le=\"+Inf\"} ");
  return texts;
}

}  // namespace

FamilyText::FamilyText(const Family& family)
    : sample(std::string(family.name) + '{'),
      bucket(std::string(family.name) + "_bucket{"),
      sum(std::string(family.name) + "_sum{"),
      count(std::string(family.name) + "_count{"),
      created(std::string(without_total(family.name)) + "_created{"),
      is_counter(family.type == Type::kCounter) {
  if (family.labels.size() == 0) return;
  const bool has_session = family.of_session != nullptr;
  const std::string first =
      std::string(has_session ? "," : "") + std::string(*family.labels.begin());
  open_label = first + "=\"";
  const std::string last =
      family.labels.size() == 1 ? first : ',' + std::string(*(family.labels.end() - 1));
  for (const std::string_view value : family.values) {
    closed_labels.push_back(last + "=\"" + std::string(value) + "\"} ");
  }
}

std::span<const std::string> BoundTexts::of(std::span<const double> bounds) {
  for (const Known& known : known_) {
    if (same(known.bounds, bounds)) return known.texts;
  }
  constexpr std::size_t kMaxKnown = 64;  // a reload can change bounds; the old lists go
  if (known_.size() == kMaxKnown) known_.clear();
  return known_.emplace_back(Known{{bounds.begin(), bounds.end()}, spell(bounds)}).texts;
}

std::string_view Series::open(std::string_view value) {
  char* at = put(open_.data(), family_.open_label);
  at = put_label_value(at, value);
  *at++ = '"';
  return {open_.data(), static_cast<std::size_t>(at - open_.data())};
}

void Series::write(std::string_view open, std::string_view closed,
                   const progress::Histogram& histogram) {
  if (!std::isfinite(histogram.sum()) || histogram.sum() < 0) return;
  char* const begin = text_.room((histogram.bounds().size() + 1) * kLineRoom);
  char* at = put(begin, family_.bucket);
  at = put(at, session_);
  at = put(at, open);
  at = put(at, closed.substr(0, closed.size() - kEnd.size()));
  text_.commit(put_buckets(begin, {begin, static_cast<std::size_t>(at - begin)}, histogram));
  count_ += histogram.bounds().size() + 1;
  put_line(family_.sum, open, closed, histogram.sum());
  put_line(family_.count, open, closed, histogram.count());
  if (has_created()) put_line(family_.created, open, closed, created_);
}

// The lines of the buckets. The first one's name and labels are at `at` already; the others copy
// it.
char* Series::put_buckets(char* at, std::string_view labels, const progress::Histogram& histogram) {
  std::uint64_t cumulative = 0;
  std::size_t i = 0;
  for (const std::string& bound : bounds_.of(histogram.bounds())) {
    at = i == 0 ? at + labels.size() : put(at, labels);
    at = put(at, bound);
    cumulative += histogram.bucket(i++);
    at = Number(cumulative).put(at);
    *at++ = '\n';
  }
  return at;
}

Series::Line::Line(Series& series) : series_(series), begin_(series.text_.size()) {
  series.text_.append(series.family_.sample);
  series.text_.append(series.session_);
}

Series::Line& Series::Line::label(std::string_view name, std::string_view value) {
  append_label(series_.text_, name, value);
  return *this;
}

void Series::Line::value(Number number) {
  if (!number.is_known()) {
    series_.text_.truncate(begin_);
    return;
  }
  char* at = put(series_.text_.room(kLineRoom), kEnd);
  at = number.put(at);
  *at++ = '\n';
  series_.text_.commit(at);
  ++series_.count_;
}

}  // namespace agent::metrics
