// Features: what the learned model may look at: shares, ratios, drifts; nothing that names a job or
// a file, no absolute time or size. Their names are hashed into the model's table, so that a model
// made for other features is refused. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "agent/eta/blend.h"
#include "agent/eta/consult.h"

namespace agent::eta {

inline constexpr std::size_t kReadings = 32;  // of the session
inline constexpr std::size_t kBlendReadings = 8;
inline constexpr std::size_t kAnnounced =
    2;  // known once the forecast is made: for interval and confidence
inline constexpr std::size_t kPointFeatures = kReadings + kBlendReadings + 4 * kExperts;
inline constexpr std::size_t kFeatures = kPointFeatures + kAnnounced;
inline constexpr std::size_t kSigmaFeature =
    kReadings + 2;  // the blend's sigma, which bounds the correction

using Features = std::array<float, kFeatures>;

// All but the last kAnnounced.
void read_features(const Scene& scene, const Reading& reading, const Blend& blend,
                   const Drift& drift, const ExpertRecord& record, Features& into);
// ln of the announced total over the time so far, and over the forecast before smoothing.
void read_announced(double log_now, double log_announced, double log_raw, Features& into);

[[nodiscard]] std::string feature_name(std::size_t feature);
[[nodiscard]] std::uint64_t feature_hash();  // of all names, in order (FNV-1a)

}  // namespace agent::eta
