#include "agent/settings/values.h"

#include <gtest/gtest.h>

namespace agent::settings {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Durations, AreReadWithTheirUnits) {
  EXPECT_EQ(read_duration("500ms"), milliseconds(500));
  EXPECT_EQ(read_duration("30s"), seconds(30));
  EXPECT_EQ(read_duration("1h30m"), minutes(90));
  EXPECT_EQ(read_duration("7d"), hours(7 * 24));
  EXPECT_EQ(read_duration("1w"), hours(7 * 24));
  EXPECT_EQ(read_duration("0"), seconds(0));
  EXPECT_EQ(read_duration("0s"), seconds(0));
}

TEST(Durations, AreRefusedWhenTheyCouldMeanAnythingElse) {
  for (const char* text : {"", "s", "1.5h", "-1s", "1m1h", "1s1s", "1 s", "01s", "1S", "1us", "s1",
                           "99999999999999999999s", "300y", "40000w"}) {
    EXPECT_FALSE(read_duration(text)) << text;
  }
  EXPECT_EQ(read_duration("30").error().suggestion, "30s");
}

TEST(Durations, AreShownInTheShortestExactForm) {
  EXPECT_EQ(show(Duration(0)), "0s");
  EXPECT_EQ(show(Duration(minutes(90))), "1h30m");
  EXPECT_EQ(show(Duration(hours(24 * 30))), "30d");
  EXPECT_EQ(show(Duration(hours(24 * 14))), "2w");
  EXPECT_EQ(show(Duration(milliseconds(1500))), "1s500ms");
  for (const char* text : {"500ms", "1h30m", "30d", "2w", "1s500ms", "1d2h3m4s5ms"}) {
    EXPECT_EQ(show(*read_duration(text)), text);
  }
}

TEST(Sizes, AreReadInBytesOrBinaryUnits) {
  EXPECT_EQ(read_bytes("65536"), Bytes{65536});
  EXPECT_EQ(read_bytes("64KiB"), Bytes{65536});
  EXPECT_EQ(read_bytes("8MiB"), Bytes{8 << 20});
  EXPECT_EQ(show(Bytes{65536}), "64KiB");
  EXPECT_EQ(show(Bytes{1000}), "1000");
  EXPECT_EQ(show(Bytes{0}), "0");
  for (const char* text : {"", "KiB", "1.5MiB", "-1", "1 KiB", "010", "1KiB1", "99999999GiB"}) {
    EXPECT_FALSE(read_bytes(text)) << text;
  }
  // Whether 1000 or 1024 is meant is not for the agent to guess.
  EXPECT_EQ(read_bytes("64k").error().suggestion, "64KiB");
  EXPECT_EQ(read_bytes("8MB").error().suggestion, "8MiB");
}

TEST(Numbers, AreDecimal) {
  EXPECT_EQ(read_count("0"), 0);
  EXPECT_EQ(read_count("10000"), 10000);
  for (const char* text :
       {"", "010", "0x10", "1e3", "1_000", "-1", "+1", "1.0", " 1", "9223372036854775808"}) {
    EXPECT_FALSE(read_count(text)) << text;
  }
  EXPECT_EQ(read_count("010").error().suggestion, "10");
  EXPECT_EQ(read_count("000").error().suggestion, "0");

  EXPECT_EQ(read_number("0.25"), 0.25);
  EXPECT_EQ(read_number("1e-3"), 0.001);
  for (const char* text : {"", "nan", "inf", "1e999", "0x1p3", "1,5", "00.5", "1 "}) {
    EXPECT_FALSE(read_number(text)) << text;
  }
}

TEST(Switches, AreTrueOrFalseAndNothingElse) {
  EXPECT_EQ(read_switch("true"), true);
  EXPECT_EQ(read_switch("false"), false);
  EXPECT_EQ(read_switch("yes").error().suggestion, "true");
  EXPECT_EQ(read_switch("Off").error().suggestion, "false");
  EXPECT_EQ(read_switch("maybe").error().suggestion, "");
}

TEST(FileModes, NeedTheirLeadingZero) {
  EXPECT_EQ(read_file_mode("0660"), FileMode{0660});
  EXPECT_EQ(show(FileMode{0660}), "0660");
  EXPECT_EQ(read_file_mode("660").error().suggestion, "0660");
  for (const char* text : {"", "432", "0888", "06600", "0o660", "rw-rw----"}) {
    EXPECT_FALSE(read_file_mode(text)) << text;
  }
}

TEST(Addresses, HaveAHostAndAPort) {
  EXPECT_EQ(read_address(":19900"), (Address{"", 19900}));
  EXPECT_EQ(read_address("127.0.0.1:0"), (Address{"127.0.0.1", 0}));
  EXPECT_EQ(read_address("[::1]:80"), (Address{"::1", 80}));
  EXPECT_EQ(read_address("agent.example.org:80"), (Address{"agent.example.org", 80}));
  for (const char* text : {":19900", "127.0.0.1:80", "[::1]:80", "localhost:1"}) {
    EXPECT_EQ(show(*read_address(text)), text);
  }
  for (const char* text :
       {"", ":", "host", "host:", "host:65536", "host:-1", "host:80x", "[::1]", "[host]:80",
        "1.2.3:80", "1.2.3.4.5:80", "a b:80", "-a:80", "http://a:80", "[::1:80"}) {
    EXPECT_FALSE(read_address(text)) << text;
  }
  EXPECT_EQ(read_address("19900").error().suggestion, ":19900");
  EXPECT_EQ(read_address("fe80::1:80").error().suggestion, "[fe80::1]:80");
}

TEST(Addresses, KnowWhoCanReachThem) {
  for (const char* text :
       {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "[::ffff:127.0.0.1]:1"}) {
    EXPECT_TRUE(read_address(text)->is_loopback()) << text;
  }
  for (const char* text : {":1", "0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1",
                           "localhost.example.org:1"}) {
    EXPECT_FALSE(read_address(text)->is_loopback()) << text;
  }
}

TEST(Urls, NameAHost) {
  for (const char* text : {"", "http://alertmanager:9093", "https://[::1]:9093/prefix",
                           "https://user:secret@hooks.example.org/x?y=z"}) {
    EXPECT_EQ(check_url(text), "") << text;
  }
  for (const char* text : {"alertmanager:9093", "ftp://x", "http://", "http:///x", "http://a b",
                           "http://x:99999", "http://x\n"}) {
    EXPECT_NE(check_url(text), "") << text;
  }
}

TEST(Urls, AreShownWithoutTheirSecrets) {
  EXPECT_EQ(redact_url("https://user:secret@h:1/path", false), "https://<hidden>@h:1/path");
  EXPECT_EQ(redact_url("https://h/services/T0/B0/x?token=y", true), "https://h/<hidden>");
  EXPECT_EQ(redact_url("https://h", true), "https://h");
  EXPECT_EQ(redact_url("", true), "");
}

TEST(Origins, AreNeitherEverybodyNorNobody) {
  EXPECT_EQ(check_origin("https://ci.example.org:8443"), "");
  for (const char* text :
       {"*", "null", "ci.example.org", "https://x/", "https://u@x", "https://"}) {
    EXPECT_NE(check_origin(text), "") << text;
  }
}

TEST(LabelNames, DoNotClash) {
  EXPECT_EQ(check_session_label("team"), "");
  for (const char* text : {"", "1a", "a-b", "__x", "job", "pod", "stage", "session", "le"}) {
    EXPECT_NE(check_session_label(text), "") << text;
  }
  EXPECT_EQ(check_external_label("cluster"), "");
  EXPECT_NE(check_external_label("alertname"), "");
}

TEST(SocketPaths, FitAnAddress) {
  EXPECT_EQ(check_socket_path(""), "");
  EXPECT_EQ(check_socket_path(std::string(107, 'x')), "");
  EXPECT_NE(check_socket_path(std::string(108, 'x')), "");
  EXPECT_NE(check_socket_path("/run/"), "");
}

}  // namespace
}  // namespace agent::settings
