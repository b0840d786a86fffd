// A reader of pages written on its own, from the two specifications, to hold the serializer
// against. It is strict: what it accepts, Prometheus and the OpenMetrics reference parser accept
// too.
#pragma once

#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agent::metrics::testing {

using Labels = std::map<std::string, std::string>;

struct ReadFamily {
  std::string name, type, unit, help;
};

struct ReadPage {
  std::vector<ReadFamily> families;
  std::map<std::pair<std::string, Labels>, double> samples;

  [[nodiscard]] bool has(const std::string& name, const Labels& labels) const {
    return samples.contains({name, labels});
  }
  // NaN when there is no such sample: equal to nothing.
  [[nodiscard]] double value(const std::string& name, const Labels& labels) const {
    const auto found = samples.find({name, labels});
    return found == samples.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
  }
  [[nodiscard]] std::size_t count(const std::string& name) const {
    std::size_t n = 0;
    for (const auto& sample : samples) n += sample.first.first == name ? 1 : 0;
    return n;
  }
};

class PageReader {
 public:
  PageReader(std::string_view text, bool openmetrics) : rest_(text), openmetrics_(openmetrics) {}

  // Throws std::runtime_error with the line at the first fault.
  ReadPage read() {
    require(is_utf8(rest_), "the page is no UTF-8");
    if (openmetrics_) {
      require(rest_.ends_with("# EOF\n"), "no # EOF at the end");
      rest_.remove_suffix(6);
    }
    while (!rest_.empty()) read_line();
    finish_family();
    return std::move(page_);
  }

 private:
  void require(bool holds, const std::string& fault) const {
    if (!holds) throw std::runtime_error(fault + ": " + std::string(line_));
  }

  void read_line() {
    const std::size_t end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    require(end != std::string_view::npos, "no newline at the end");
    rest_.remove_prefix(end + 1);
    require(!line_.empty(), "blank line");
    line_.front() == '#' ? read_comment() : read_sample();
  }

  void read_comment() {
    const std::size_t kind_end = line_.find(' ', 2);
    const std::size_t name_end = line_.find(' ', kind_end + 1);
    require(line_.starts_with("# ") && name_end != std::string_view::npos, "odd comment");
    const std::string_view kind = line_.substr(2, kind_end - 2);
    const std::string name(line_.substr(kind_end + 1, name_end - kind_end - 1));
    const std::string text(line_.substr(name_end + 1));
    if (kind == "HELP") {
      begin_family(name, text);
      return;
    }
    require(!page_.families.empty() && page_.families.back().name == name, "not after its HELP");
    require(family_samples_ == 0, "after samples");
    ReadFamily& family = page_.families.back();
    std::string& field = kind == "TYPE" ? family.type : family.unit;
    require(kind == "TYPE" || (kind == "UNIT" && openmetrics_), "unknown comment");
    require(field.empty(), "twice");
    field = text;
    if (kind == "UNIT") require(name.ends_with("_" + text), "the name does not end in the unit");
  }

  void begin_family(const std::string& name, const std::string& help) {
    finish_family();
    require(is_name(name, true), "bad metric name");
    require(names_.insert(name).second, "a family twice");
    require(!help.empty(), "no help");
    for (std::size_t i = 0; i < help.size(); ++i) {
      if (openmetrics_) require(help[i] != '"', "help with a bare quote");
      if (help[i] != '\\') continue;
      ++i;
      const bool known = i < help.size() && (help[i] == '\\' || help[i] == 'n' || help[i] == '"');
      require(known, "bad escape in help");
    }
    page_.families.push_back({name, "", "", help});
    family_samples_ = 0;
  }

  void read_sample() {
    require(!page_.families.empty(), "a sample before any family");
    const std::size_t name_end = line_.find_first_of("{ ");
    const std::string name(line_.substr(0, name_end));
    std::string_view rest = line_.substr(name_end);
    Labels labels;
    if (rest.front() == '{') labels = read_labels(rest);
    require(rest.starts_with(' '), "no blank before the value");
    const double value = read_value(rest.substr(1));
    ++family_samples_;
    check_sample(page_.families.back(), name, labels, value);
    require(page_.samples.try_emplace({name, labels}, value).second, "a series twice");
  }

  Labels read_labels(std::string_view& rest) {
    Labels labels;
    rest.remove_prefix(1);
    while (!rest.starts_with('}')) {
      if (!labels.empty()) {
        require(rest.starts_with(','), "no comma between labels");
        rest.remove_prefix(1);
      }
      const std::size_t equals = rest.find("=\"");
      require(equals != std::string_view::npos, "no label value");
      const std::string name(rest.substr(0, equals));
      require(is_name(name, false), "bad label name");
      rest.remove_prefix(equals + 2);
      std::string value = read_label_value(rest);
      require(value.size() <= 128, "a label value over 128 bytes");
      require(is_utf8(value), "a label value that is no UTF-8");
      require(labels.emplace(name, std::move(value)).second, "a label twice");
    }
    rest.remove_prefix(1);
    return labels;
  }

  std::string read_label_value(std::string_view& rest) {
    std::string value;
    for (;;) {
      require(!rest.empty(), "a label value without end");
      const char c = rest.front();
      rest.remove_prefix(1);
      if (c == '"') return value;
      if (c != '\\') {
        value += c;
        continue;
      }
      require(!rest.empty(), "a lone backslash");
      const char escaped = rest.front();
      rest.remove_prefix(1);
      require(escaped == '\\' || escaped == '"' || escaped == 'n', "bad escape");
      value += escaped == 'n' ? '\n' : escaped;
    }
  }

  double read_value(std::string_view text) {
    require(!text.empty() && text.find_first_not_of("0123456789+-.e") == std::string_view::npos,
            "no plain number");
    const std::string number(text);
    char* end = nullptr;
    const double value = std::strtod(number.c_str(), &end);
    require(end == number.c_str() + number.size() && std::isfinite(value), "no finite number");
    return value;
  }

  void check_sample(const ReadFamily& family, const std::string& name, const Labels& labels,
                    double value) {
    require(name.starts_with(family.name), "not of this family");
    const std::string suffix = name.substr(family.name.size());
    if (family.type == "gauge") require(suffix.empty(), "a gauge with a suffix");
    if (family.type == "counter") {
      const bool total =
          openmetrics_ ? suffix == "_total" : suffix.empty() && name.ends_with("_total");
      require(total || (openmetrics_ && suffix == "_created"), "not a counter's name");
      require(value >= 0 || suffix == "_created", "a negative counter");
    }
    if (family.type == "histogram") check_histogram(suffix, labels, value);
  }

  // Buckets come first, in order and cumulative; then _sum, _count equal to the last bucket,
  // _created.
  void check_histogram(const std::string& suffix, Labels labels, double value) {
    require(value >= 0 || suffix == "_created", "a negative histogram");
    if (suffix == "_bucket") {
      require(labels.contains("le"), "a bucket without le");
      const std::string le = labels["le"];
      labels.erase("le");
      const double bound = std::strtod(le.c_str(), nullptr);
      if (!in_histogram_ || complete_ || labels != bucket_labels_) {
        finish_family();
        bucket_labels_ = labels;
        bound_ = -std::numeric_limits<double>::infinity();
        bucket_ = 0;
        complete_ = false;
        in_histogram_ = true;
      }
      require(bound > bound_ && value >= bucket_, "buckets out of order");
      bound_ = bound;
      bucket_ = value;
      return;
    }
    require(in_histogram_ && labels == bucket_labels_, "apart from its buckets");
    require(std::isinf(bound_), "no +Inf bucket");
    if (suffix == "_count") {
      require(value == bucket_, "the count is not the +Inf bucket's");
      complete_ = true;
    } else {
      require(suffix == "_sum" || (suffix == "_created" && openmetrics_), "not a histogram's name");
    }
  }

  void finish_family() {
    require(!in_histogram_ || complete_, "a histogram without count");
    in_histogram_ = false;
    complete_ = false;
    bucket_labels_.clear();
  }

  static bool is_name(std::string_view name, bool colons) {
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
    for (const char c : name) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
      if (!letter && !(c >= '0' && c <= '9') && !(colons && c == ':')) return false;
    }
    return true;
  }

  // By decoding to code points and encoding back, unlike the code under test.
  static bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
      const auto lead = static_cast<unsigned char>(text[i]);
      const std::size_t size = lead < 0x80   ? 1
                               : lead < 0xC0 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                                             : 4;
      if (size == 0 || i + size > text.size()) return false;
      unsigned code = size == 1 ? lead : lead & (0xFFU >> (size + 1));
      for (std::size_t k = 1; k < size; ++k) {
        const auto next = static_cast<unsigned char>(text[i + k]);
        if ((next & 0xC0U) != 0x80) return false;
        code = (code << 6U) | (next & 0x3FU);
      }
      constexpr unsigned kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
      if (code < kLeast[size] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return false;
      i += size;
    }
    return true;
  }

  std::string_view rest_, line_;
  bool openmetrics_;
  ReadPage page_;
  std::set<std::string> names_;
  std::size_t family_samples_ = 0;
  bool in_histogram_ = false, complete_ = false;
  Labels bucket_labels_;
  double bound_ = 0, bucket_ = 0;
};

inline ReadPage read_page(std::string_view text, bool openmetrics = false) {
  return PageReader(text, openmetrics).read();
}

}  // namespace agent::metrics::testing
