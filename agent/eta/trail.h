// Trail: what was foretold, over the whole life of a session, in constant memory. Says how far
// forecasts have drifted, and grades them when the truth is known. Pure; not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "agent/eta/experts.h"
#include "agent/eta/family.h"
#include "agent/eta/time_series.h"

namespace agent::eta {

// One instant's forecasts, as ln of total session time in seconds; NaN: none.
struct Foretold {
  std::array<float, kExperts> experts;
  std::array<float, kMethods> methods;
  std::array<float, kBeliefs> beliefs;
  float low = 0, high = 0;  // 80 % interval of the chosen method
  float chosen = 0;
  float confidence = 0;
};

// How far each expert's forecast is from what it was at half the time, and at four fifths of it:
// NaN when it had none then. It needs nothing but the expert's own past (Koenig et al., "A
// statistical approach towards robust progress estimation", 2011, choose among estimators by
// features of this kind).
struct Drift {
  std::array<double, kExperts> since_half, since_fifth;
  bool none_yet = false;  // nothing was foretold at half the time
};

class Trail {
 public:
  // Forecasts made at session time `now`, which does not decrease.
  void add(double now, const Foretold& f) {
    if (last_now_ >= 0) {
      while (rows_.due() < now) rows_.fill(rows_.due(), pack(last_));
    }
    last_ = f;
    last_now_ = now;
  }

  [[nodiscard]] Drift drift(double now, const Opinions& opinions) const {
    Drift d{};
    const auto half = at(0.5 * now), fifth = at(0.8 * now);
    d.none_yet = !half.has_value();
    for (std::size_t i = 0; i < kExperts; ++i) {
      d.since_half[i] = change(half, i, opinions.log_total[i]);
      d.since_fifth[i] = change(fifth, i, opinions.log_total[i]);
    }
    return d;
  }

  // Calls visit(foretold) for each kept instant between 1 % and 99 % of `total`; evenly spread over
  // it.
  template <typename Visit>
  void each(double total, Visit visit) const {
    auto rows = rows_;
    while (last_now_ >= 0 && rows.due() <= total) rows.fill(rows.due(), pack(last_));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double t = rows.time(i);
      if (t >= 0.01 * total && t <= 0.99 * total) visit(t, unpack(rows.row(i)));
    }
  }
  [[nodiscard]] const Foretold& last() const { return last_; }

  // For storage: what it did not have yet, and how it comes back.
  void save(progress::Packer& packer) {
    rows_.save(packer);
    const bool changed = saved_now_ != last_now_;
    packer(changed);
    if (changed) {
      packer(last_now_);
      rows_.save_row(packer, pack(last_), rows_.last());
    }
    saved_now_ = last_now_;
  }
  void load(progress::Unpacker& unpacker) {
    rows_.load(unpacker);
    bool changed = false;
    unpacker(changed);
    if (changed) {
      unpacker(last_now_);
      last_ = unpack(rows_.load_row(unpacker, rows_.last()));
    }
  }
  void forget_saved() {
    saved_now_ = kNever;
    rows_.forget_saved();
  }

 private:
  static constexpr double kNever = -1;
  static constexpr std::size_t kWidth = kExperts + kMethods + kBeliefs + 4;
  using Row = std::array<float, kWidth>;

  static Row pack(const Foretold& f) {
    Row r{};
    std::copy(f.experts.begin(), f.experts.end(), r.begin());
    std::copy(f.methods.begin(), f.methods.end(), r.begin() + kExperts);
    std::copy(f.beliefs.begin(), f.beliefs.end(), r.begin() + kExperts + kMethods);
    r[kWidth - 4] = f.low;
    r[kWidth - 3] = f.high;
    r[kWidth - 2] = f.chosen;
    r[kWidth - 1] = f.confidence;
    return r;
  }
  static Foretold unpack(const Row& r) {
    Foretold f{};
    std::copy_n(r.begin(), kExperts, f.experts.begin());
    std::copy_n(r.begin() + kExperts, kMethods, f.methods.begin());
    std::copy_n(r.begin() + kExperts + kMethods, kBeliefs, f.beliefs.begin());
    f.low = r[kWidth - 4];
    f.high = r[kWidth - 3];
    f.chosen = r[kWidth - 2];
    f.confidence = r[kWidth - 1];
    return f;
  }
  // What was foretold at `time`.
  [[nodiscard]] std::optional<Foretold> at(double time) const {
    if (last_now_ >= 0 && time >= last_now_) return last_;
    const Row* row = rows_.at(time);
    if (row == nullptr) return std::nullopt;
    return unpack(*row);
  }
  static double change(const std::optional<Foretold>& then, std::size_t expert, double now) {
    if (!then) return std::numeric_limits<double>::quiet_NaN();
    return now - static_cast<double>(then->experts[expert]);
  }

  TimeSeries<kWidth, 64> rows_;
  Foretold last_{};
  double last_now_ = kNever;
  double saved_now_ = kNever;  // of the last forecasts that storage has
};

}  // namespace agent::eta
