// Replays recorded events (NDJSON) through the agent's own decoder, sessions, and estimators in
// event time, asking for a forecast at the instants of the ETA log (contract, section 7). For
// training and for scoring. One thread.
#pragma once

#include <string>

#include "agent/eta/history.h"
#include "agent/eta/model.h"
#include "agent/result.h"
#include "agent/tracker/forecaster.h"

namespace eta_train {

// Hears of a replay. Sessions come one after another, as they do in the input.
class Listener {
 public:
  virtual ~Listener() = default;
  // A forecast made `t` seconds after the session's start; null before there is one.
  virtual void on_forecast(const agent::progress::Session& session, double t,
                           const agent::progress::Forecast* forecast,
                           const agent::eta::Estimator& estimator) = 0;
  // It ended after `total` seconds.
  virtual void on_end(const agent::progress::Session& session, double total,
                      const agent::eta::Estimator::Finish& finish) = 0;
};

struct Options {
  std::shared_ptr<const agent::eta::Model> model;  // null: none
  bool warm = true;  // sessions of a family that ended earlier in the input are its history
};

// A line that is no event, or sessions that overlap, are an error that says where.
agent::Result<void> replay(const std::string& path, const Options& options, Listener& listener);

}  // namespace eta_train
