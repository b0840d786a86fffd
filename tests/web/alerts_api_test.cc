// /v1/alerts, a session's alerts, and dismissing one.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "agent/web/api.h"
#include "tests/fakes/one_tracker.h"
#include "tests/web/running_server.h"

namespace agent::web {
namespace {

using progress::FileStatus;

class AlertsApiTest : public ::testing::Test {
 protected:
  AlertsApiTest() {
    // Two sessions end badly; a third is well.
    for (const char* session : {"a", "b", "c"}) {
      (void)tracker_.start(0, session);
      for (int i = 0; i < 20; ++i)
        (void)tracker_.file(
            0, session, "f" + std::to_string(i),
            *session == 'c' || i > 4 ? FileStatus::kCompleted : FileStatus::kFailed);
      if (*session != 'c')
        (void)tracker_.send(1, session, progress::SessionEnded{progress::EndStatus::kFailed, ""});
    }
    progress::SessionStarted minimal;
    minimal.facts.mode = progress::Mode::kMinimal;
    (void)tracker_.send(0, "d", minimal);
    tracker_.tick(1);
  }
  void serve(Side side, bool admin_api = false) {
    server_ = std::make_unique<RunningServer>(api_routes(outside_, tracker_.tracker(), clock_),
                                              side, Limits{}, admin_api);
    client_ = std::make_unique<RawClient>(server_->port());
  }
  std::string send(std::string_view method, std::string_view target) {
    client_->send(std::string(method) + ' ' + std::string(target) +
                  " HTTP/1.1\r\nHost: localhost\r\n" +
                  (method == "POST" ? "Content-Length: 0\r\n" : "") + "\r\n");
    return client_->reply();
  }
  std::string get(std::string_view target) { return body_of(send("GET", target)); }
  static std::size_t count(std::string_view text, std::string_view what) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += what.size()) ++n;
    return n;
  }
  static std::string id_in(std::string_view text) {
    const std::size_t at = text.find("\"id\":\"") + 6;
    return std::string(text.substr(at, 16));
  }

  fakes::OneTracker tracker_;
  fakes::ManualClock clock_;
  Outside outside_;
  std::unique_ptr<RunningServer> server_;
  std::unique_ptr<RawClient> client_;
};

TEST_F(AlertsApiTest, ListsTheActiveOnesOfAllSessions) {
  serve(Side::kWeb);
  const std::string all = get("/v1/alerts");
  EXPECT_EQ(count(all, "\"name\":\"SuccessRateBelowTarget\""), 2U) << all;
  EXPECT_EQ(count(all, "\"state\":\"firing\""), 2U);
  EXPECT_EQ(count(all, "\"state\":\"pending\""), 2U) << "HighErrorRate, not long enough yet";
  EXPECT_NE(all.find("\"session\":\"a\""), all.npos);
  EXPECT_NE(all.find("\"runbookUrl\":\"/runbooks#progresssuccessratebelowtarget\""), all.npos);
}

TEST_F(AlertsApiTest, GivesTheListInPages) {
  serve(Side::kWeb);
  std::string cursor = "0", all;
  int pages = 0;
  for (; !cursor.empty() && pages < 10; ++pages) {
    const std::string page = get("/v1/alerts?limit=1&cursor=" + cursor);
    EXPECT_EQ(count(page, "\"id\""), 1U) << page;
    all += page;
    const std::size_t next = page.find("\"nextCursor\":\"");
    cursor = next == page.npos ? "" : page.substr(next + 14, page.find('"', next + 14) - next - 14);
  }
  EXPECT_EQ(pages, 4);
  EXPECT_EQ(count(all, "SuccessRateBelowTarget\""), 2U);
}

TEST_F(AlertsApiTest, ShowsThemWithTheirSession) {
  serve(Side::kWeb);
  EXPECT_EQ(count(get("/v1/sessions/a"), "\"alerts\":[{\"id\":"), 1U);
  EXPECT_EQ(count(get("/v1/sessions/c"), "\"alerts\":[]"), 1U);
  EXPECT_EQ(count(get("/v1/sessions/d"), "\"alerts\""), 0U) << "not computed in this mode";
  EXPECT_EQ(count(get("/v1/sessions/a/alerts"), "\"id\""), 2U);
}

TEST_F(AlertsApiTest, SaysWhereThereAreNone) {
  serve(Side::kWeb);
  EXPECT_EQ(get("/v1/sessions/c/alerts"), "{\"items\":[]}\n");
  EXPECT_NE(send("GET", "/v1/sessions/d/alerts").find("not_enabled"), std::string::npos);
  EXPECT_NE(send("GET", "/v1/sessions/x/alerts").find("unknown_session"), std::string::npos);
}

TEST_F(AlertsApiTest, DismissesOnTheIngestListener) {
  serve(Side::kWeb);
  const std::string id = id_in(get("/v1/alerts?limit=1"));
  EXPECT_NE(send("POST", "/v1/alerts/" + id + "/dismiss").find("ingest listener"),
            std::string::npos);
  serve(Side::kIngest);
  EXPECT_NE(send("POST", "/v1/alerts/" + id + "/dismiss").find("\"dismissed\":true"),
            std::string::npos);
  EXPECT_NE(send("POST", "/v1/alerts/0000000000000000/dismiss").find("unknown_alert"),
            std::string::npos);
  serve(Side::kWeb, true);
  EXPECT_EQ(get("/v1/alerts").find(id), std::string::npos) << "it left the active ones";
  EXPECT_NE(get("/v1/sessions/a/alerts").find(id), std::string::npos) << "and is still told of";
  EXPECT_NE(send("POST", "/v1/alerts/" + id_in(get("/v1/alerts?limit=1")) + "/dismiss")
                .find("\"dismissed\":true"),
            std::string::npos)
      << "with the admin API here too";
}

}  // namespace
}  // namespace agent::web
