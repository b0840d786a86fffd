#include "agent/notify/encode.h"

#include <gtest/gtest.h>

#include "tests/fakes/manual_clock.h"

namespace agent::notify {
namespace {

using fakes::moment;

Notice notice(bool fires = true) {
  Notice n;
  n.is_firing = fires;
  n.alert.rule = *alert::find_rule("HighErrorRate");
  n.alert.severity = alert::Severity::kCritical;
  n.alert.session = "nightly \"7\"";
  n.alert.family = "nightly";
  n.alert.labels = {{"team", "search"}};
  n.alert.message = "20.0 % of the finished files failed, more than 10.0 %.";
  n.alert.recommendation = "Read the errors.";
  n.alert.runbook_url = "/runbooks#progresshigherrorrate";
  n.alert.starts_at = moment(0.25);
  if (!fires) n.alert.ends_at = moment(90);
  return n;
}

Target to(Labels external) {
  Target target;
  target.external_labels = std::move(external);
  target.own_url = "http://nightly-x:19900";
  return target;
}

TEST(Encode, WritesWhatAlertmanagerTakes) {
  EXPECT_EQ(alertmanager_json(std::vector{notice()}, to({{"region", "eu"}}), moment(60)),
            R"([{"labels":{"alertname":"ProgressHighErrorRate","family":"nightly","region":"eu",)"
            R"("session":"nightly \"7\"","severity":"critical","team":"search"},)"
            R"("annotations":{"summary":"Too many files fail",)"
            R"("description":"20.0 % of the finished files failed, more than 10.0 %.",)"
            R"("recommendation":"Read the errors.",)"
            R"("runbook_url":"http://nightly-x:19900/runbooks#progresshigherrorrate"},)"
            R"("startsAt":"2026-01-05T09:00:00.250Z","endsAt":"2026-01-05T09:05:00.000Z"}])");
}

TEST(Encode, LeavesARunbookElsewhereWhereItIs) {
  Notice elsewhere = notice();
  elsewhere.alert.runbook_url = "https://wiki.example.org/a#b";
  EXPECT_NE(alertmanager_json(std::vector{elsewhere}, to({}), moment(60))
                .find(R"("runbook_url":"https://wiki.example.org/a#b")"),
            std::string::npos);
}

TEST(Encode, GivesWhatIsOverItsEnd) {
  const std::string json = alertmanager_json(std::vector{notice(false)}, {}, moment(600));
  EXPECT_NE(json.find(R"("endsAt":"2026-01-05T09:01:30.000Z")"), json.npos) << json;
}

TEST(Encode, AnExternalLabelReplacesNothing) {
  const Labels labels =
      labels_of(notice().alert, {{"severity", "none"}, {"team", "x"}, {"zone", ""}});
  EXPECT_EQ(labels, (Labels{{"alertname", "ProgressHighErrorRate"},
                            {"family", "nightly"},
                            {"session", "nightly \"7\""},
                            {"severity", "critical"},
                            {"team", "search"}}));
}

TEST(Encode, LeavesOutWhatTheAgentsOwnAlertsLack) {
  alert::Alert own;
  own.rule = *alert::find_rule("AgentNearLimit");
  EXPECT_EQ(labels_of(own, {}),
            (Labels{{"alertname", "ProgressAgentNearLimit"}, {"severity", "warning"}}));
}

TEST(Encode, WritesWhatWebhooksTake) {
  const std::string json = webhook_json(std::vector{notice(), notice(false)}, {});
  EXPECT_TRUE(json.starts_with(R"({"version":"4","groupKey":"progress-agent")")) << json;
  EXPECT_NE(json.find(R"("status":"firing","receiver":"progress-agent")"), json.npos);
  EXPECT_NE(json.find(R"("commonLabels":{"alertname":"ProgressHighErrorRate")"), json.npos);
  EXPECT_NE(json.find(R"({"status":"firing","labels":{)"), json.npos);
  EXPECT_NE(json.find(R"({"status":"resolved","labels":{)"), json.npos);
  EXPECT_NE(json.find(R"("endsAt":"0001-01-01T00:00:00Z")"), json.npos);
}

TEST(Encode, IsResolvedWhenAllAre) {
  EXPECT_NE(webhook_json(std::vector{notice(false)}, {})
                .find(R"("truncatedAlerts":0,"status":"resolved")"),
            std::string::npos);
}

TEST(Encode, TakesAUrlApart) {
  const Endpoint a = endpoint_of("https://user:pass@am.example.org/prefix/?x=1");
  EXPECT_TRUE(a.is_tls);
  EXPECT_EQ(a.host, "am.example.org");
  EXPECT_EQ(a.port, "443");
  EXPECT_EQ(a.path, "/prefix/?x=1");
  EXPECT_EQ(a.username, "user");
  EXPECT_EQ(a.password, "pass");
  EXPECT_EQ(a.shown(), "https://am.example.org:443");
  const Endpoint b = endpoint_of("http://[::1]:9093");
  EXPECT_FALSE(b.is_tls);
  EXPECT_EQ(b.host, "::1");
  EXPECT_EQ(b.port, "9093");
  EXPECT_EQ(b.path, "");
  EXPECT_EQ(b.shown(), "http://[::1]:9093");
  EXPECT_EQ(endpoint_of("http://h?k=1").path, "?k=1");
}

}  // namespace
}  // namespace agent::notify
