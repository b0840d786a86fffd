#include "config/eta-train/replay.h"

#include <algorithm>
#include <fstream>
#include <optional>

#include "agent/wire/decode.h"

namespace eta_train {
namespace {

using agent::Duration;
using agent::Instant;
using agent::Now;
using agent::SteadyInstant;
using agent::progress::Session;

Now at_instant(Instant t) { return {t, SteadyInstant(t.time_since_epoch())}; }

// One session on its way through the estimators.
class Run {
 public:
  Run(std::string_view id, const agent::progress::Rules& rules, Instant start,
      const agent::eta::History* history, std::shared_ptr<const agent::eta::Model> model)
      : start_(start),
        session_(id, rules, start, at_instant(start)),
        forecaster_(session_, history, std::move(model)) {}

  agent::Result<void> take(const agent::progress::Event& event, Instant ts, Listener& listener) {
    forecast_until(ts, listener, false);
    forecaster_.before(ts);
    auto applied = session_.apply(event, ts, at_instant(ts), 10'000'000, forecaster_);
    if (!applied) return agent::failure(applied.error().message);
    latest_ = std::max(latest_, ts);
    if (session_.live()) forecaster_.after(event, ts);
    return {};
  }

  // Forecasts due before `ts`, and at it once all of its events are in.
  void forecast_until(Instant ts, Listener& listener, bool included) {
    const double until = agent::seconds(ts - start_);
    while (due_ < until || (included && due_ <= until)) {
      const Instant now = start_ + Duration(static_cast<std::int64_t>(due_ * 1e6));
      const auto forecast = forecaster_.estimate(now);
      if (forecaster_.estimator() != nullptr) {
        listener.on_forecast(session_, due_, forecast ? &*forecast : nullptr,
                             *forecaster_.estimator());
      }
      due_ = std::max(1.005 * due_, due_ + 0.01);
    }
  }

  void end(agent::progress::EndStatus status, agent::eta::History& history, Listener& listener) {
    auto finish = forecaster_.finish(latest_, status);
    if (!finish) return;
    listener.on_end(session_, agent::seconds(latest_ - start_), *finish);
    history.add(session_.identity()->family, std::move(finish->run), finish->complete);
  }
  [[nodiscard]] Instant latest() const { return latest_; }
  [[nodiscard]] const std::string& id() const { return session_.id(); }

 private:
  Instant start_, latest_ = Instant::min();
  Session session_;
  agent::tracker::Forecaster forecaster_;
  double due_ = 0;
};

}  // namespace

agent::Result<void> replay(const std::string& path, const Options& options, Listener& listener) {
  std::ifstream in(path);
  if (!in) return agent::failure("opening " + path + ": it cannot be read");
  const agent::progress::Rules rules;
  agent::wire::Decoder decoder;
  agent::eta::History history;
  std::optional<Run> run;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    const auto fault = [&](const std::string& what) {
      return agent::failure("replaying " + path + ", line " + std::to_string(number) + ": " + what);
    };
    if (line.empty()) continue;
    const std::size_t size = line.size();
    line.append(agent::wire::kPadding, '\0');
    auto message = decoder.decode({line.data(), size}, std::nullopt);
    if (!message) return fault(message.error().message);
    auto* const* event = std::get_if<agent::progress::Event*>(&*message);
    if (event == nullptr) continue;
    if (!(*event)->ts) return fault("the event has no `ts`");
    const Instant ts = *(*event)->ts;
    if (!run || run->id() != (*event)->session) {
      if (!options.warm) history = agent::eta::History();
      run.emplace((*event)->session, rules, ts, &history, options.model);
    }
    if (const auto* ended = std::get_if<agent::progress::SessionEnded>(&(*event)->fact)) {
      run->forecast_until(ts, listener, true);
      if (auto taken = run->take(**event, ts, listener); !taken)
        return fault(taken.error().message);
      run->end(ended->status, history, listener);
    } else if (auto taken = run->take(**event, ts, listener); !taken) {
      return fault(taken.error().message);
    }
  }
  return {};
}

}  // namespace eta_train
