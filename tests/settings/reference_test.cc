#include "agent/settings/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "agent/settings/load.h"
#include "agent/settings/prose.h"
#include "agent/settings/table.h"

namespace agent::settings {
namespace {

std::string file(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The example with its commented-out entries put in force.
std::string with_examples(const std::string& yaml) {
  std::istringstream lines(yaml);
  std::string out, line;
  std::size_t entry = std::string::npos;  // the column of the entry's comment signs
  while (std::getline(lines, line)) {
    const std::size_t sign = line.find_first_not_of(' ');
    const bool is_comment = sign != std::string::npos && line[sign] == '#';
    // An entry starts with a key or a list marker, and goes on in its column.
    const bool opens = is_comment && (line.ends_with(":") || line.ends_with("# -") ||
                                      line.find("# region:") != std::string::npos);
    entry = is_comment && (opens || entry == sign) ? sign : std::string::npos;
    out += (entry == std::string::npos ? line : line.erase(sign, 2)) + "\n";
  }
  return out;
}

TEST(ExampleFile, IsWhatConfigHolds) {
  EXPECT_EQ(file("config/agent.yaml"), example_file())
      << "write it anew: progress-agent docs config > config/agent.yaml";
}

TEST(ExampleFile, ChangesNothing) {
  const Document document = Document::parse(example_file(), "agent.yaml");
  const auto settings = from(&document, {});
  ASSERT_TRUE(settings) << settings.error()[0].text();
  const Reloaded reloaded = reload(Settings{}, *settings);
  EXPECT_TRUE(reloaded.changed.empty());
  EXPECT_TRUE(reloaded.waiting_for_restart.empty());
}

TEST(ExampleFile, SetsEveryKeyOnceItsExamplesAreInForce) {
  const std::string yaml = with_examples(example_file());
  const Document document = Document::parse(yaml, "agent.yaml");
  const auto settings = from(&document, {});
  ASSERT_TRUE(settings) << settings.error()[0].text() << "\n" << yaml;
  for (const Row& row : rows()) {
    const VariablePart* part = variable_part_of(row);
    const std::string_view start = part ? part->root : row.key;
    const std::string_view end = part ? row.key.substr(part->pattern.size()) : "";
    const bool is_set = std::ranges::any_of(settings->sources, [&](const auto& source) {
      return source.first.starts_with(start) && source.first.ends_with(end);
    });
    EXPECT_EQ(is_set, is_in_file(row)) << row.key;
  }
}

TEST(KeyReference, IsWhatConfigHolds) {
  const std::string readme = file("config/README.md");
  const std::size_t start = readme.find(key_reference());
  EXPECT_NE(start, std::string::npos)
      << "put it there: progress-agent docs config --format=markdown";
  EXPECT_EQ(start + key_reference().size(), readme.size()) << "it ends the page";
}

TEST(FlagReference, NamesEveryFlag) {
  const std::string reference = flag_reference();
  for (const Row& row : rows()) {
    EXPECT_EQ(reference.find("`" + flag_of(row) + "`") != std::string::npos, has_flag(row));
  }
}

TEST(Wrap, BreaksBetweenWords) {
  EXPECT_EQ(wrap("one two three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrap("extraordinary one", 5), (std::vector<std::string>{"extraordinary", "one"}));
  EXPECT_TRUE(wrap("", 5).empty());
}

}  // namespace
}  // namespace agent::settings
