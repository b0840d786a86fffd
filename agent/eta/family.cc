#include "agent/eta/family.h"

#include <algorithm>
#include <cmath>

namespace agent::eta {
namespace {

constexpr float kShortest = 1e-4F;  // seconds

}  // namespace

std::shared_ptr<const Family> Family::with(FamilyRun run, bool complete,
                                           FamilyBounds bounds) const {
  auto next = std::make_shared<Family>(*this);
  ++next->run_count_;
  next->merge(run, bounds.files);
  run.known_files = {};
  if (complete) next->runs_.push_back(std::move(run));
  if (next->runs_.size() > bounds.runs) next->runs_.erase(next->runs_.begin());
  return next;
}

// Each file's logarithm moves half-way to what it took now. When there are too many, those not seen
// for longest go, and among them those with the largest hash: every run keeps the same ones.
void Family::merge(const FamilyRun& run, std::size_t bound) {
  double offset = 0;
  std::size_t again = 0;
  for (const FileRecord& f : run.known_files) {
    const FilePast* past = file(f.id_hash);
    if (past == nullptr) continue;
    offset += std::log(std::max(kShortest, f.seconds)) - past->log_seconds;
    ++again;
  }
  if (again > 0) offset /= static_cast<double>(again);
  for (const FileRecord& f : run.known_files) {
    const float l = std::log(std::max(kShortest, f.seconds));
    const auto [it, fresh] = files_.try_emplace(f.id_hash, FilePast{l, f.end, 0, run_count_});
    if (fresh) continue;
    FilePast& p = it->second;
    p.spread = 0.5F * p.spread + 0.5F * std::abs(l - p.log_seconds - static_cast<float>(offset));
    p.log_seconds = 0.5F * (p.log_seconds + l);
    if (f.end > 0) p.end = p.end > 0 ? 0.5F * (p.end + f.end) : f.end;
    p.run = run_count_;
  }
  if (files_.size() <= bound) return;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> order;  // (runs ago, hash)
  for (const auto& [hash, p] : files_) order.emplace_back(run_count_ - p.run, hash);
  const auto keep = order.begin() + static_cast<std::ptrdiff_t>(bound);
  std::nth_element(order.begin(), keep, order.end());
  for (auto it = keep; it != order.end(); ++it) files_.erase(it->second);
}

}  // namespace agent::eta
