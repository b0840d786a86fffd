#include "agent/settings/load.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "agent/settings/table.h"

namespace agent::settings {
namespace {

std::string texts(const Faults& faults) {
  std::string out;
  for (const Fault& fault : faults) out += fault.text() + "\n";
  return out;
}

std::string faults_of(std::string_view yaml, const Given& given = {}) {
  const Document document = Document::parse(yaml, "a.yaml");
  const auto settings = from(&document, given);
  return settings ? "" : texts(settings.error());
}

Settings good(std::string_view yaml, const Given& given = {}) {
  const Document document = Document::parse(yaml, "a.yaml");
  auto settings = from(&document, given);
  EXPECT_TRUE(settings) << texts(settings.error());
  return settings.value_or(Settings{});
}

Described described(const Settings& settings, std::string_view key) {
  const auto all = describe(settings);
  const auto found = std::ranges::find(all, key, &Described::key);
  return found == all.end() ? Described{} : *found;
}

TEST(Load, NothingGivesTheDefaults) {
  const Settings settings = good("");
  EXPECT_EQ(settings.web.listen_address, (Address{"", 19900}));
  EXPECT_EQ(settings.ingest.listen_address, (Address{"127.0.0.1", 19901}));
  EXPECT_EQ(settings.ingest.socket, "/run/progress-agent/agent.sock");
  EXPECT_EQ(settings.ingest.socket_mode, FileMode{0660});
  EXPECT_EQ(settings.shutdown.linger, std::chrono::seconds(20));
  EXPECT_TRUE(settings.sources.empty());
}

TEST(Load, FlagWinsOverEnvironmentOverFile) {
  const std::string_view yaml = "log:\n  level: debug\n  format: json\nsessions: {linger: 1m}\n";
  const Given given{
      {{"--log.level", "error"}},
      {{"PROGRESS_AGENT_LOG_LEVEL", "warn"}, {"PROGRESS_AGENT_LOG_FORMAT", "logfmt"}}};
  const Settings settings = good(yaml, given);
  EXPECT_EQ(settings.log.level, log::Level::kError);
  EXPECT_EQ(settings.log.format, log::Format::kLogfmt);
  EXPECT_EQ(settings.sessions.linger, std::chrono::minutes(1));
  EXPECT_EQ(described(settings, "log.level").source, "--log.level");
  EXPECT_EQ(described(settings, "log.format").source, "PROGRESS_AGENT_LOG_FORMAT");
  EXPECT_EQ(described(settings, "sessions.linger").source, "a.yaml:4:20");
  EXPECT_EQ(described(settings, "sessions.max_ended").source, "default");
}

TEST(Load, ReadsWhatTheUserNames) {
  const Settings settings = good(R"(
pricing:
  gpt-4o.mini: {input_per_million: 2.5, output_per_million: 10}
alerts:
  thresholds: {slow_processing_ms: 60000, low_throughput: off}
  rules:
    HighErrorRate: {threshold: 0.2, for: 5m, severity: critical}
    RateLimited: {enabled: false}
notify:
  alertmanagers:
    - url: http://a:9093
    - url: https://b:9093
      timeout: 3s
      basic_auth: {username: u, password_file: /p}
  external_labels: {region: eu-1}
)");
  EXPECT_EQ(settings.pricing.at("gpt-4o.mini").input_per_million, 2.5);
  EXPECT_FALSE(settings.pricing.at("gpt-4o.mini").cached_per_million);
  EXPECT_EQ(settings.alerts.thresholds.slow_processing_ms, 60000);
  EXPECT_FALSE(settings.alerts.thresholds.low_throughput);
  EXPECT_EQ(settings.alerts.rules.at("HighErrorRate").lasting, Duration(std::chrono::minutes(5)));
  EXPECT_EQ(settings.alerts.rules.at("HighErrorRate").severity, Severity::kCritical);
  EXPECT_FALSE(settings.alerts.rules.at("RateLimited").enabled);
  ASSERT_EQ(settings.notify.alertmanagers.size(), 2);
  EXPECT_EQ(settings.notify.alertmanagers[0].timeout, Duration(std::chrono::seconds(10)));
  EXPECT_EQ(settings.notify.alertmanagers[1].username, "u");
  EXPECT_EQ(settings.notify.external_labels.at("region"), "eu-1");
}

TEST(Load, ReportsEveryFaultAtOnceInTheOrderOfTheFile) {
  EXPECT_EQ(
      faults_of(R"(web:
  listen_address: 19900
  listen-adress: x
listen_address: x
sessions:
  linger: 30
  max_active: 010
ingest:
  allowed_hosts: [a b, "http://x", ok]
  socket_mode: 660
alerts:
  thresholds: {high_error_rate: 2}
  rules:
    HighErorRate: {enabled: true}
web.allowed_origins: []
notify:
  alertmanagers:
    - {timeout: 1s}
)",
                {{{"--log.level", "debgu"}}, {{"PROGRESS_AGENT_LOG_FORMAT", "xml"}}}),
      R"(a.yaml:2:19: web.listen_address: "19900" has no port: write host:port, or :port for every address (did you mean ":19900"?)
a.yaml:3:3: unknown key "web.listen-adress" (did you mean "listen_address"?)
a.yaml:4:1: unknown key "listen_address" (did you mean "web.listen_address"?)
a.yaml:6:11: sessions.linger: "30" has no unit (did you mean "30s"?)
a.yaml:7:15: sessions.max_active: "010" has a leading zero (did you mean "10"?)
a.yaml:9:19: ingest.allowed_hosts: "a b" is no host: write a host name or IP address, without scheme and port
a.yaml:9:24: ingest.allowed_hosts: "http://x" is no host: write a host name or IP address, without scheme and port
a.yaml:10:16: ingest.socket_mode: "660" needs a leading zero (did you mean "0660"?)
a.yaml:12:33: alerts.thresholds.high_error_rate: must be 0 to 1
a.yaml:14:5: alerts.rules: "HighErorRate" is no alert of this agent (did you mean "HighErrorRate"?)
a.yaml:15:1: unknown key "web.allowed_origins": keys are nested, write "web:" and below it "allowed_origins:"
a.yaml:18:7: notify.alertmanagers[0]: needs the key "url"
PROGRESS_AGENT_LOG_FORMAT: "xml" is none of logfmt, json
--log.level: "debgu" is none of debug, info, warn, error (did you mean "debug"?)
)");
}

TEST(Load, RefusesValuesOfAnotherShape) {
  EXPECT_EQ(faults_of("web: 1\n"),
            "a.yaml:1:6: web: takes keys, such as listen_address, not a value\n");
  EXPECT_EQ(faults_of("- web\n"), "a.yaml:1:1: the file: takes keys, such as config, not a list\n");
  EXPECT_EQ(faults_of("log: {level: [debug]}\n"),
            "a.yaml:1:14: log.level: takes one value, not a list\n");
  EXPECT_EQ(faults_of("log: {level: {a: b}}\n"),
            "a.yaml:1:14: log.level: takes a value, not keys\n");
  EXPECT_EQ(faults_of("log: {level: }\n"),
            "a.yaml:1:14: log.level: has no value: leave the key out to get the default\n");
  EXPECT_EQ(faults_of("notify: {webhooks: {url: x}}\n"),
            "a.yaml:1:20: notify.webhooks: takes a list: start each entry with \"- \"\n");
  EXPECT_EQ(faults_of("config: {file: x}\n"),
            "a.yaml:1:16: config.file: is given by flag or environment only\n");
  EXPECT_EQ(faults_of("web:\nlog: ~\n"), "") << "sections may be empty";
}

TEST(Load, RefusesToExposeIngestWithoutAuthentication) {
  const std::string_view open = "ingest: {listen_address: \":19901\"}\n";
  EXPECT_NE(faults_of(open).find("a.yaml:1:26: ingest.listen_address: others than this Pod"),
            std::string::npos);
  EXPECT_EQ(faults_of(open, {{{"--ingest.allow-remote", "true"}}, {}}), "");
  EXPECT_EQ(faults_of(open, {{{"--ingest.config.file", "web.yml"}}, {}}), "");
  EXPECT_EQ(faults_of("ingest: {listen_address: \"[::1]:1\"}\n"), "");
}

TEST(Load, HoldsSettingsAgainstEachOther) {
  EXPECT_EQ(faults_of("web: {listen_address: \":19901\"}\n"),
            "a.yaml:1:23: web.listen_address and ingest.listen_address need different ports\n");
  EXPECT_EQ(faults_of("ingest: {max_line_bytes: 16MiB}\n"),
            "a.yaml:1:26: ingest.max_line_bytes is greater than ingest.max_body_bytes: no body "
            "could hold such a line\n");
  EXPECT_EQ(faults_of("alerts: {rules: {HighErrorRate: {threshold: 20}}}\n"),
            "a.yaml:1:45: alerts.rules.HighErrorRate.threshold: must be 0 to 1: it is a ratio\n");
  EXPECT_EQ(faults_of("notify: {webhooks: [{url: \"http://a\", tls_config: {key_file: k}}]}\n"),
            "a.yaml:1:62: notify.webhooks[0]: tls_config needs cert_file and key_file together\n");
  // Of a value that is wrong by itself nothing more is said.
  EXPECT_EQ(faults_of("ingest: {listen_address: \":19901\", allow_remote: yes}\n"),
            "a.yaml:1:50: ingest.allow_remote: \"yes\" is neither true nor false (did you mean "
            "\"true\"?)\n");
}

TEST(Load, TakesListsFromFlagsSeparatedOrRepeated) {
  const Settings settings = good("", {{{"--metrics.session-labels", "team,tier"},
                                       {"--metrics.session-labels", "owner"},
                                       {"--ingest.socket-allowed-uids", "0,1000"}},
                                      {}});
  EXPECT_EQ(settings.metrics.session_labels, (std::vector<std::string>{"team", "tier", "owner"}));
  EXPECT_EQ(settings.ingest.socket_allowed_uids, (std::vector<std::int64_t>{0, 1000}));
  EXPECT_EQ(faults_of("", {{{"--metrics.session-labels", "team,,team"}}, {}}),
            "--metrics.session-labels: has an empty entry\n");
  EXPECT_EQ(faults_of("", {{{"--metrics.session-labels", "team,team"}}, {}}),
            "--metrics.session-labels: \"team\" is listed twice\n");
}

TEST(Load, RefusesFlagsThatAreUnknownOrGivenTwice) {
  EXPECT_EQ(faults_of("", {{{"--log.levle", "debug"}}, {}}),
            "--log.levle: is no flag (did you mean \"--log.level\"?)\n");
  EXPECT_EQ(faults_of("", {{{"--log.level", "debug"}, {"--log.level", "info"}}, {}}),
            "--log.level: is given twice\n");
}

TEST(Load, WarnsOfVariablesItDoesNotKnowButKubernetesSets) {
  const Given given{{},
                    {{"PROGRESS_AGENT_LOG_LEVLE", "debug"},
                     {"PROGRESS_AGENT_SERVICE_HOST", "10.0.0.1"},
                     {"PROGRESS_AGENT_PORT_19900_TCP", "tcp://10.0.0.1:19900"},
                     {"PROGRESS_AGENT_LOG_LEVEL", "info"}}};
  EXPECT_EQ(
      texts(unknown_variables(given)),
      "PROGRESS_AGENT_LOG_LEVLE: is no setting (did you mean \"PROGRESS_AGENT_LOG_LEVEL\"?)\n");
  EXPECT_EQ(faults_of("", given), "");
}

TEST(Load, NeverRepeatsASecret) {
  EXPECT_EQ(faults_of("notify: {webhooks: [{url: \"hooks.example/T0SECRET\"}]}\n"),
            "a.yaml:1:27: notify.webhooks[0].url: the value is no URL: it starts with http:// or "
            "https://\n");
  EXPECT_EQ(faults_of("push: {gateway_url: \"htp://u:SECRET@gateway\"}\n"),
            "a.yaml:1:21: push.gateway_url: the value is no URL: it starts with http:// or "
            "https://\n");
  const Settings settings = good("notify: {webhooks: [{url: \"https://u:p@h/T0SECRET\"}]}\n");
  EXPECT_EQ(described(settings, "notify.webhooks[0].url").value, "https://<hidden>@h/<hidden>");
}

TEST(Load, BoundsTheFaultsOfAHostileFile) {
  std::string yaml;
  for (int i = 0; i < 9'000; ++i) yaml += "k" + std::to_string(i) + ": 1\n";
  const Document document = Document::parse(yaml, "a.yaml");
  const auto settings = from(&document, {});
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().size(), kMaxFaults + 1);
}

TEST(Load, SaysWhyAFileCannotBeRead) {
  const auto text = [](const std::string& path) {
    const auto settings = load({{{"--config.file", path}}, {}});
    return settings ? "" : texts(settings.error());
  };
  EXPECT_EQ(text("/nowhere/a.yaml"),
            "/nowhere/a.yaml: cannot be read: No such file or directory\n");
  EXPECT_EQ(text("/tmp"), "/tmp: cannot be read: it is a directory\n");
  EXPECT_EQ(text("/dev/zero"), "/dev/zero: cannot be read: it is no regular file\n");
  const std::string pipe = "/tmp/settings_test." + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(text(pipe), pipe + ": cannot be read: it is no regular file\n");
  std::filesystem::remove(pipe);
}

TEST(Reload, ChangesWhatItMayAndNamesWhatWaits) {
  const Settings old = good(
      "log: {level: info}\nweb: {listen_address: \":1\"}\n"
      "pricing: {a: {input_per_million: 1}}\n");
  const Settings fresh = good(
      "log: {level: debug}\nweb: {listen_address: \":2\"}\n"
      "pricing: {a: {input_per_million: 2}}\n");
  const Reloaded reloaded = reload(old, fresh);
  EXPECT_EQ(reloaded.changed,
            (std::vector<std::string>{"log.level", "pricing.a.input_per_million"}));
  EXPECT_EQ(reloaded.waiting_for_restart, std::vector<std::string>{"web.listen_address"});
  EXPECT_EQ(reloaded.in_force.log.level, log::Level::kDebug);
  EXPECT_EQ(reloaded.in_force.web.listen_address.port, 1);
  EXPECT_EQ(reloaded.in_force.pricing.at("a").input_per_million, 2);
  EXPECT_EQ(described(reloaded.in_force, "web.listen_address").source, "a.yaml:2:23");
}

TEST(Reload, OfTheSameChangesNothing) {
  const Settings same = good("log: {level: debug}\n");
  const Reloaded reloaded = reload(same, same);
  EXPECT_TRUE(reloaded.changed.empty());
  EXPECT_TRUE(reloaded.waiting_for_restart.empty());
}

TEST(Table, EveryDefaultIsAValueOfItsOwnRow) {
  for (const Row& row : rows()) {
    if (!has_flag(row)) continue;
    Settings settings;
    const auto assigned = assign(row, default_of(row), settings);
    EXPECT_TRUE(assigned) << row.key << " = " << default_of(row) << ": "
                          << assigned.error().message;
    EXPECT_EQ(value_of(row, settings), default_of(row)) << row.key;
  }
}

TEST(Table, EveryExampleIsAValueOfItsOwnRow) {
  for (const Row& row : rows()) {
    Settings settings;
    if (row.example.empty()) continue;
    EXPECT_TRUE(assign(row, row.example, settings)) << row.key;
  }
}

TEST(Table, NamesAreDistinctAndVariablesToo) {
  std::vector<std::string> names;
  for (const Row& row : rows()) {
    EXPECT_FALSE(row.help.empty()) << row.key;
    EXPECT_EQ(find_row(row.key), &row) << row.key << " is there twice";
    if (has_flag(row)) names.push_back(variable_of(row));
  }
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(Table, OnlyValuesWithOnePlaceWaitForARestart) {
  for (const Row& row : rows()) {
    EXPECT_TRUE(!variable_part_of(row) || row.reload == Reload::kAtOnce) << row.key;
  }
}

}  // namespace
}  // namespace agent::settings
