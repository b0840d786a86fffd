#include "agent/notify/notifier.h"

#include <algorithm>
#include <utility>

namespace agent::notify {
namespace {

void collect(const alert::Standing* standing, std::vector<alert::Alert>& into) {
  if (standing == nullptr) return;
  std::ranges::copy_if(standing->current, std::back_inserter(into), &alert::Alert::firing);
}

}  // namespace

void Notifier::configure(std::vector<Target> targets) {
  couriers_.clear();
  names_.clear();
  for (Target& target : targets) {
    // Two at one address are told apart by their number.
    std::string name = target.endpoint.shown();
    const auto alike = std::ranges::count_if(names_, [&](const std::string& known) {
      return known == name || known.starts_with(name + "#");
    });
    names_.push_back(alike == 0 ? name : name + "#" + std::to_string(alike + 1));
    couriers_.push_back(std::make_unique<Courier>(std::move(target), clock_));
    couriers_.back()->start();
  }
}

void Notifier::tell(const View& view) {
  if (couriers_.empty()) return;
  auto firing = std::make_shared<std::vector<alert::Alert>>();
  collect(view.own_alerts.get(), *firing);
  for (const auto& session : view.sessions) collect(session->alerts.get(), *firing);
  for (const auto& courier : couriers_) courier->tell(firing);
}

void Notifier::stop() {
  for (const auto& courier : couriers_) courier->stop(kGrace);
}

std::vector<TargetStatus> Notifier::status() const {
  std::vector<TargetStatus> out;
  for (std::size_t i = 0; i < couriers_.size(); ++i)
    out.push_back({names_[i], couriers_[i]->delivery()});
  return out;
}

bool Notifier::is_failing() const {
  return std::ranges::any_of(couriers_, [](const auto& c) { return c->delivery().is_failing; });
}

}  // namespace agent::notify
