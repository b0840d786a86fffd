#include "agent/wire/elements.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/wire/padded.h"

namespace agent::wire {
namespace {

// The elements, and "!" when the document is broken after them.
std::vector<std::string> split(std::string_view document) {
  const Padded padded(document);
  Elements elements(padded.view());
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
  const Padded three("[1,[2],{\"a\":[[3]]},{\"a\":3}]");
  Elements array(three.view());
  for (const std::size_t depth : {1U, 2U, 4U, 2U}) {
    array.next();
    EXPECT_EQ(array.depth(), depth);
  }
  const Padded one("{\"a\":[1]}"), plain("{\"a\":1}");
  Elements alone(one.view()), flat(plain.view());
  alone.next();
  EXPECT_EQ(alone.depth(), 2U);
  flat.next();
  EXPECT_EQ(flat.depth(), 1U);
}

TEST(Elements, TellWhichArePlain) {
  const Padded some(R"([{"a":1} , {"a":"b\n"},{"a":[1]},{},7,{"a":01},{"a":1)");
  Elements elements(some.view());
  for (const bool is_plain : {true, false, false, true, false, false}) {
    ASSERT_TRUE(elements.next());
    EXPECT_EQ(elements.is_plain(), is_plain);
  }
  EXPECT_FALSE(elements.next());
  EXPECT_TRUE(elements.is_broken());
}

// What is behind the document is none of it, whatever it looks like.
TEST(Elements, EndWithTheDocument) {
  const Padded padded(R"([{"a":1}])");
  for (std::size_t size = 1; size < padded.view().size(); ++size) {
    Elements elements(padded.view().substr(0, size));
    while (const auto element = elements.next()) EXPECT_EQ(*element, R"({"a":1})");
    EXPECT_TRUE(elements.is_broken()) << size;
  }
}

}  // namespace
}  // namespace agent::wire
