#include "agent/settings/document.h"

#include <gtest/gtest.h>

namespace agent::settings {
namespace {

std::string faults_of(std::string_view yaml) {
  const Document document = Document::parse(yaml, "a.yaml");
  std::string out;
  for (const Fault& fault : document.faults()) out += fault.text() + "\n";
  return out;
}

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Document, KeepsTextAsWrittenWithItsPlace) {
  const Document document = Document::parse("a:\n  b: 010\n  c: [yes, ~]\n", "a.yaml");
  ASSERT_TRUE(document.faults().empty());
  const Node& a = document.root().entries.at(0).value;
  EXPECT_EQ(a.entries.at(0).key, "b");
  EXPECT_EQ(a.entries.at(0).mark, (Mark{2, 3}));
  EXPECT_EQ(a.entries.at(0).value.text, "010");
  EXPECT_EQ(a.entries.at(0).value.mark, (Mark{2, 6}));
  EXPECT_EQ(a.entries.at(1).value.items.at(0).text, "yes");
  EXPECT_EQ(a.entries.at(1).value.items.at(1).kind, Node::Kind::kEmpty);
}

TEST(Document, IsEmptyWithoutText) {
  for (const std::string_view yaml : {"", "# only a comment\n"}) {
    const Document document = Document::parse(yaml, "a.yaml");
    EXPECT_EQ(document.root().kind, Node::Kind::kEmpty);
    EXPECT_TRUE(document.faults().empty());
  }
}

TEST(Document, ReportsRepeatedKeysAndKeepsTheFirst) {
  EXPECT_EQ(faults_of("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n"),
            "a.yaml:4:3: \"c\" is repeated: it is already set on line 3\n"
            "a.yaml:5:1: \"a\" is repeated: it is already set on line 1\n");
}

TEST(Document, ReportsWhatIsNoYaml) {
  EXPECT_EQ(faults_of("a: b: c\n"), "a.yaml:1:5: not YAML: illegal map value\n");
  EXPECT_EQ(faults_of("a: [1, 2\n"), "a.yaml:2:1: not YAML: end of sequence flow not found\n");
}

TEST(Document, RefusesWhatCouldHideOrGrow) {
  EXPECT_EQ(faults_of("a: &x 1\nb: *x\n"),
            "a.yaml:1:4: anchors are not supported: write the value of \"*x\" out wherever it is "
            "used\na.yaml:2:4: aliases are not supported: write the value out\n");
  EXPECT_EQ(faults_of("a: !secret x\n"),
            "a.yaml:1:4: tags are not supported: leave \"!secret\" out\n");
  EXPECT_EQ(faults_of("a: 1\n---\nb: 2\n"), "a.yaml:2:1: a second document: one file holds one\n");
  EXPECT_EQ(faults_of("? [a, b]\n: 1\n"), "a.yaml:1:3: a key must be a plain name\n");
}

TEST(Document, RefusesBytesThatAreNoText) {
  EXPECT_EQ(faults_of("a: 1\nb: \xFF\n"), "a.yaml:2:4: not valid UTF-8\n");
  EXPECT_EQ(faults_of("\xFF\xFE"
                      "a"),
            "a.yaml:1:1: not valid UTF-8\n");
  EXPECT_EQ(faults_of(std::string_view("a: \0", 4)),
            "a.yaml:1:4: a NUL byte: the file is not text\n");
}

TEST(Document, BoundsWhatHostileTextCosts) {
  EXPECT_NE(faults_of(std::string(kMaxDocumentBytes + 1, 'a')).find("larger than 256 KiB"),
            std::string::npos);
  for (const std::string_view opening : {"[", "{a: ", "- ", "? "}) {
    EXPECT_NE(faults_of(repeated(opening, 5000)).find("nested too deeply"), std::string::npos)
        << opening;
  }
  EXPECT_NE(faults_of("[" + repeated("a,", 60'000) + "]").find("too many values"),
            std::string::npos);
  const Document tagged = Document::parse("[" + repeated("!x y,", 9'000) + "]", "a.yaml");
  EXPECT_EQ(tagged.faults().size(), kMaxFaults + 1);
}

}  // namespace
}  // namespace agent::settings
