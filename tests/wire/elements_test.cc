#include "agent/wire/elements.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace agent::wire {
namespace {

// The elements, and "!" when the document is broken after them.
std::vector<std::string> split(std::string_view document) {
  Elements elements(document);
  std::vector<std::string> parts;
  while (const auto element = elements.next()) {
    parts.emplace_back(*element);
    EXPECT_EQ(elements.number(), parts.size());
  }
  EXPECT_TRUE(elements.is_over());
  if (elements.is_broken()) parts.emplace_back("!");
  return parts;
}

using Parts = std::vector<std::string>;

TEST(Elements, OfAnArray) {
  EXPECT_EQ(split("[]"), Parts{});
  EXPECT_EQ(split(" [ ] "), Parts{});
  EXPECT_EQ(split("[1]"), Parts{"1"});
  EXPECT_EQ(split(" [ {\"a\":[1,2]} ,\n5 , \"x,]\\\"y\", [] ] \n"),
            (Parts{"{\"a\":[1,2]}", "5", "\"x,]\\\"y\"", "[]"}));
}

TEST(Elements, OneAloneIsItself) {
  EXPECT_EQ(split("{\"a\":1}"), Parts{"{\"a\":1}"});
  EXPECT_EQ(split("\n{\n\"a\":1\n}\n"), Parts{"{\n\"a\":1\n}"});
  EXPECT_EQ(split("5"), Parts{"5"});
  EXPECT_EQ(split(""), Parts{});
  EXPECT_EQ(split(" \n"), Parts{});
}

TEST(Elements, WhatIsBrokenIsSaidToBe) {
  EXPECT_EQ(split("[1"), (Parts{"1", "!"}));
  EXPECT_EQ(split("["), Parts{"!"});
  EXPECT_EQ(split("[,1]"), Parts{"!"});
  EXPECT_EQ(split("[1,]"), (Parts{"1", "!"}));
  EXPECT_EQ(split("[1 2]"), (Parts{"1", "!"}));
  EXPECT_EQ(split("[1]]"), (Parts{"1", "!"}));
  EXPECT_EQ(split("[1] x"), (Parts{"1", "!"}));
  EXPECT_EQ(split("[]x"), Parts{"!"});
  EXPECT_EQ(split("{} {}"), (Parts{"{}", "!"}));
  EXPECT_EQ(split("{},"), (Parts{"{}", "!"}));
  EXPECT_EQ(split("[{\"a\":1"), Parts{"!"});
  EXPECT_EQ(split("[\"open]"), (Parts{"\"open]", "!"}));
  EXPECT_EQ(split("]"), Parts{"!"});
  EXPECT_EQ(split(std::string(100'000, '[')), Parts{"!"});
}

TEST(Elements, KnowTheirDepth) {
  Elements array("[1,[2],{\"a\":[[3]]}]");
  array.next();
  EXPECT_EQ(array.depth(), 1U);
  array.next();
  EXPECT_EQ(array.depth(), 2U);
  array.next();
  EXPECT_EQ(array.depth(), 4U);
  Elements alone("{\"a\":[1]}");
  alone.next();
  EXPECT_EQ(alone.depth(), 2U);
}

}  // namespace
}  // namespace agent::wire
