#include "agent/eta/deflate.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace agent::eta {
namespace {

TEST(Deflate, GivesBackWhatItWasGiven) {
  std::mt19937 random(1);
  for (const std::size_t size : {0, 1, 1'024, 16'384, 16'385, 100'000}) {
    std::string plain(size, '\0');
    for (char& c : plain) c = static_cast<char>(random() % 8);
    const auto deflated = deflate(plain);
    ASSERT_TRUE(deflated);
    EXPECT_LT(deflated->size(), size / 2 + 32);
    EXPECT_EQ(plain, inflate(*deflated, size));
    EXPECT_FALSE(inflate(*deflated, size + 1));
  }
}

TEST(Deflate, WhatCannotBeMadeLessIsGivenBackToo) {
  std::mt19937 random(2);
  std::string noise(5'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  EXPECT_EQ(noise, inflate(*deflate(noise), noise.size()));
}

}  // namespace
}  // namespace agent::eta
