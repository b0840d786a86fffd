#include "agent/eta/choice.h"

#include <gtest/gtest.h>

#include <limits>

namespace agent::eta {
namespace {

using progress::EtaMethod;

constexpr std::array<double, kMethods> kValidation = {0.5, 0.5, 0.3, 0.2};
constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

MethodRecord record(int sessions, std::array<float, kMethods> errors) {
  MethodRecord r;
  for (int i = 0; i < sessions; ++i) r.add(errors);
  return r;
}

TEST(Choice, AdaptiveSpeaksForAJobNeverSeenBefore) {
  const Choice c = choose({}, {}, kValidation, true);
  EXPECT_EQ(c.method, EtaMethod::kAdaptive);
  EXPECT_EQ(c.why, ChoiceReason::kNeverSeen);
  EXPECT_EQ(c.correction, 1);  // what ml_based says stands beside it
}

TEST(Choice, FewSessionsOfOtherFamiliesProveNothing) {
  const std::array<float, kMethods> errors = {0.5F, 0.5F, 0.3F, 0.1F};
  EXPECT_EQ(choose({}, record(3, errors), kValidation, true).method, EtaMethod::kAdaptive);
  const Choice many = choose({}, record(10, errors), kValidation, true);
  EXPECT_EQ(many.method, EtaMethod::kMlBased);
  EXPECT_EQ(many.why, ChoiceReason::kOverallRecord);
}

TEST(Choice, WhatDidBestInTheFamilySpeaks) {
  const Choice linear = choose(record(3, {0.01F, 0.3F, 0.2F, 0.3F}), {}, kValidation, true);
  EXPECT_EQ(linear.method, EtaMethod::kLinear);
  EXPECT_EQ(linear.why, ChoiceReason::kFamilyRecord);
  EXPECT_EQ(choose(record(3, {kNone, kNone, 0.2F, 0.1F}), {}, kValidation, true).method,
            EtaMethod::kMlBased);
  EXPECT_EQ(choose(record(3, {0.4F, 0.4F, 0.2F, 0.1F}), {}, kValidation, false).method,
            EtaMethod::kAdaptive);  // without a model, ml_based is adaptive
}

TEST(Choice, TheCorrectionGoesWhereItDidHarm) {
  EXPECT_EQ(choose(record(8, {0.4F, 0.4F, 0.2F, 0.4F}), {}, kValidation, true).correction, 0);
  const double some =
      choose(record(8, {0.4F, 0.4F, 0.2F, 0.26F}), {}, kValidation, true).correction;
  EXPECT_GT(some, 0);
  EXPECT_LT(some, 1);
}

}  // namespace
}  // namespace agent::eta
