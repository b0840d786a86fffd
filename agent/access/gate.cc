#include "agent/access/gate.h"

#include <algorithm>
#include <utility>

namespace agent::access {
namespace {

constexpr Duration kLookInterval = std::chrono::seconds(1);

}  // namespace

Gate::Gate(GateSettings settings, const DigestKey& key)
    : settings_(std::move(settings)), key_(key) {}

Result<std::shared_ptr<Gate>, settings::Faults> Gate::open(GateSettings settings,
                                                           const DigestKey& key) {
  const std::shared_ptr<Gate> gate(new Gate(std::move(settings), key));
  if (auto read = gate->reload(); !read) return failure(std::move(read.error()));
  return gate;
}

Result<void, settings::Faults> Gate::reload() {
  watch_ = {};
  auto fresh = Rules::read(settings_.path, settings_.schema, key_, watch_);
  if (fresh && settings_.must_authenticate && !(*fresh)->config().authenticates()) {
    fresh = failure(settings::Faults{
        {{settings_.path, {}},
         "lets everybody in, and others than this Pod reach the listener: add basic_auth_users, "
         "bearer_token_files or client_auth_type RequireAndVerifyClientCert, or set "
         "ingest.allow_remote",
         {}}});
  }
  is_current_ = fresh.has_value();
  if (!fresh) return failure(std::move(fresh.error()));
  const RateLimit& limit = (*fresh)->config().rate_limit;
  if (!rules_ || rules_->config().rate_limit != limit)
    allowance_ = static_cast<double>(limit.burst);
  rules_ = *std::move(fresh);
  return {};
}

const std::shared_ptr<const Rules>& Gate::rules(SteadyInstant now) {
  if (now - looked_ < kLookInterval) return rules_;
  looked_ = now;
  if (!watch_.has_changed()) return rules_;
  if (const auto reloaded = reload()) {
    log::info("access rules read again", {{"file", settings_.path}});
  } else {
    for (const settings::Fault& fault : reloaded.error())
      log::error("access rules refused: those in force stay", {{"fault", fault.text()}});
  }
  return rules_;
}

bool Gate::admit(SteadyInstant now) {
  const RateLimit& limit = rules_->config().rate_limit;
  if (limit.interval <= Duration::zero()) return true;
  const double filled =
      std::chrono::duration<double>(now - filled_) / std::chrono::duration<double>(limit.interval);
  allowance_ = std::min(allowance_ + filled, static_cast<double>(limit.burst));
  filled_ = now;
  if (allowance_ < 1) return false;
  --allowance_;
  return true;
}

}  // namespace agent::access
