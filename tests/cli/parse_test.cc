#include "agent/cli/parse.h"

#include <gtest/gtest.h>

#include <sstream>

#include "agent/cli/help.h"
#include "agent/cli/version.h"
#include "agent/settings/table.h"

namespace agent::cli {
namespace {

Result<Request> parsed(const std::string& line) {
  std::istringstream words(line);
  std::vector<std::string> arguments;
  for (std::string word; words >> word;) arguments.push_back(word);
  return parse(arguments, {});
}

std::string refusal(const std::string& line) {
  const auto request = parsed(line);
  return request ? "" : request.error().message;
}

using Flags = std::vector<std::pair<std::string, std::string>>;

TEST(Parse, ServesWhenNothingElseIsAsked) {
  EXPECT_EQ(parsed("")->command->name, "serve");
  EXPECT_EQ(parsed("--log.level=debug")->command->name, "serve");
  EXPECT_EQ(parsed("demo")->command->name, "demo");
}

TEST(Parse, TakesFlagsInEitherFormBeforeAndAfterTheCommand) {
  const auto request = parsed("--log.level debug serve --log.format=json --web.listen-address :1");
  ASSERT_TRUE(request);
  EXPECT_EQ(
      request->invocation.given.flags,
      (Flags{{"--web.listen-address", ":1"}, {"--log.level", "debug"}, {"--log.format", "json"}}));
}

TEST(Parse, KeepsValuesAsTheyAre) {
  const auto request = parsed("serve --ingest.socket= --web.listen-address=[::1]:5 --log.level=-1");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(
      request->invocation.given.flags,
      (Flags{{"--web.listen-address", "[::1]:5"}, {"--ingest.socket", ""}, {"--log.level", "-1"}}));
}

TEST(Parse, RefusesWhatIsNoneOfAFlagsChoices) {
  EXPECT_TRUE(parsed("top --format=json"));
  EXPECT_EQ(refusal("top --format=jsn"),
            "top: --format: \"jsn\" is none of table, json (did you mean \"json\"?)");
  EXPECT_EQ(refusal("emit file --status=zzz"),
            "emit: --status: \"zzz\" is none of pending, processing, completed, failed, skipped, "
            "cancelled");
}

TEST(Parse, SwitchesNeedNoValueAndSwallowNoArgument) {
  const auto request = parsed("--exit-when-done demo --web.enable-admin-api=false");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->command->name, "demo");
  EXPECT_EQ(request->invocation.given.flags,
            (Flags{{"--web.enable-admin-api", "false"}, {"--exit-when-done", "true"}}));
}

TEST(Parse, SwitchesAreTurnedOffAsWithPrometheus) {
  const auto request = parsed("serve --no-exit-when-done");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->invocation.given.flags, (Flags{{"--exit-when-done", "false"}}));
  EXPECT_NE(refusal("serve --no-log.level"), "") << "only switches";
}

TEST(Parse, FillsInTheDefaultsOfACommandsOwnFlags) {
  const auto request = parsed("demo --speed=5");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->invocation.option("--speed"), "5");
  EXPECT_EQ(request->invocation.option("--seed"), "1");
}

TEST(Parse, TakesArguments) {
  EXPECT_EQ(parsed("check-config a b")->invocation.arguments, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(parsed("replay -")->invocation.arguments, std::vector<std::string>{"-"});
  EXPECT_EQ(parsed("replay --eta.log=x - --metrics.out y")->invocation.option("--metrics.out"),
            "y");
}

TEST(Parse, SaysWhatIsWrongAndWhatWasMeant) {
  EXPECT_EQ(refusal("--web.listen-adress=:1"),
            "--web.listen-adress is no flag (did you mean \"--web.listen-address\"?)");
  EXPECT_EQ(refusal("demo --sped=1"), "--sped is no flag of demo (did you mean \"--speed\"?)");
  EXPECT_EQ(refusal("serv"),
            "there is no command \"serv\" (did you mean \"serve\"?); see progress-agent --help");
  EXPECT_EQ(refusal("--zzzzzzzz"), "--zzzzzzzz is no flag; see progress-agent --help");
  EXPECT_EQ(refusal("top -x"), "-x is no flag of top; see progress-agent top --help");
  EXPECT_EQ(
      refusal("run --session=a ls"),
      "run: unexpected argument \"ls\": what to run stands behind --, as in progress-agent run "
      "--session=NAME -- ls");
  EXPECT_EQ(
      refusal("docs fags"),
      "docs: \"fags\" is none of metrics, flags, config, rules, man, completion (did you mean "
      "\"flags\"?)");
  EXPECT_TRUE(refusal("emit fle").ends_with("(did you mean \"file\"?)"));
  EXPECT_EQ(refusal("emit -"), "");
  EXPECT_EQ(refusal("serve extra"), "serve: unexpected argument \"extra\"");
  EXPECT_EQ(refusal("replay a b"), "replay: unexpected argument \"b\"");
  EXPECT_EQ(refusal("check-config"),
            "check-config: needs FILE...; see progress-agent check-config --help");
  EXPECT_EQ(
      refusal("check-config a --log.level=debug"),
      "--log.level is no flag of check-config: it belongs to the commands that run the agent");
  EXPECT_EQ(
      refusal("--log.level=debug check-config a"),
      "--log.level is no flag of check-config: it belongs to the commands that run the agent");
  EXPECT_EQ(refusal("--log.level"), "--log.level needs a value");
  EXPECT_EQ(refusal("demo --speed=1 --speed=2"), "--speed is given twice");
}

TEST(Parse, HelpAndVersionComeBeforeEverythingElse) {
  EXPECT_EQ(parsed("--help")->kind, Request::Kind::kHelp);
  EXPECT_EQ(parsed("--help")->command, nullptr);
  EXPECT_EQ(parsed("check-config -h")->command->name, "check-config");
  EXPECT_EQ(parsed("serve --version")->kind, Request::Kind::kVersion);
  EXPECT_EQ(refusal("serv --help"), refusal("serv"));
}

TEST(Parse, HelpAndVersionAreWordsToo) {
  EXPECT_EQ(parsed("help")->kind, Request::Kind::kHelp);
  EXPECT_EQ(parsed("help")->command, nullptr);
  EXPECT_EQ(parsed("help run")->command->name, "run");
  EXPECT_EQ(refusal("help serv"), refusal("serv"));
  EXPECT_EQ(parsed("version")->kind, Request::Kind::kVersion);
}

TEST(Help, DocumentsEveryCommandFlagAndVariable) {
  const std::string text = help();
  for (const Command& command : commands()) {
    EXPECT_NE(text.find("\n  " + std::string(command.name)), std::string::npos) << command.name;
    for (const Option& option : command.options) {
      EXPECT_NE(
          help_of(command).find(std::string(option.name) + (option.value.empty() ? " " : "=")),
          std::string::npos);
    }
  }
  for (const settings::Row& row : settings::rows()) {
    if (!settings::has_flag(row)) continue;
    EXPECT_NE(text.find("\n  " + settings::flag_of(row)), std::string::npos) << row.key;
    EXPECT_NE(text.find("$" + settings::variable_of(row) + "\n"), std::string::npos) << row.key;
  }
}

TEST(Help, FitsATerminal) {
  std::istringstream lines(help() + help_of(commands().front()));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100) << line;
}

TEST(Version, SaysWhatWasBuilt) {
  EXPECT_TRUE(version_text().starts_with("progress-agent " AGENT_VERSION "\n"));
  for (const char* name :
       {"revision", "compiler", "Boost", "CLI11", "simdjson", "SQLite", "yaml-cpp"}) {
    EXPECT_NE(version_text().find(name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace agent::cli
