#include "agent/access/gate.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace agent::access {
namespace {

using namespace std::chrono_literals;

class GateTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    // As editors and Kubernetes do: another file in its place.
    const std::string path = folder_ / name;
    std::ofstream(path + ".new") << text;
    std::filesystem::rename(path + ".new", path);
    return path;
  }
  std::shared_ptr<Gate> open(const std::string& text, bool must_authenticate = false) {
    auto gate = Gate::open({write("ingest.yml", text), Schema::kIngest, must_authenticate}, key_);
    return gate ? *gate : nullptr;
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("gate-" + std::to_string(::getpid()));
  const DigestKey key_;
  SteadyInstant now_{1h};
};

TEST_F(GateTest, LooksOnceASecondAndKeepsWhatIsGood) {
  write("token", "first");
  const auto gate = open("bearer_token_files: [token]\n");
  ASSERT_NE(gate, nullptr);
  const auto knows = [&](const char* token) {
    return gate->rules(now_)->knows_token(key_.of({token}));
  };
  EXPECT_TRUE(knows("first"));
  write("token", "second\n");
  now_ += 500ms;
  EXPECT_TRUE(knows("first")) << "it has just looked";
  now_ += 500ms;
  EXPECT_TRUE(knows("second"));
  EXPECT_FALSE(knows("first"));
  write("token", "");
  now_ += 1s;
  EXPECT_TRUE(knows("second")) << "an empty token is refused";
  EXPECT_FALSE(gate->is_current());
  std::filesystem::remove(folder_ / "ingest.yml");
  now_ += 1s;
  EXPECT_TRUE(knows("second")) << "so is a file that is gone";
  write("token", "third");
  write("ingest.yml", "bearer_token_files: [token]\n");
  now_ += 1s;
  EXPECT_TRUE(knows("third"));
  EXPECT_TRUE(gate->is_current());
}

TEST_F(GateTest, WhoBeganWithSomeRulesEndsWithThem) {
  write("token", "first");
  const auto gate = open("bearer_token_files: [token]\n");
  const std::shared_ptr<const Rules> before = gate->rules(now_);
  write("ingest.yml", "");
  now_ += 1s;
  EXPECT_FALSE(gate->rules(now_)->asks_for_secrets());
  EXPECT_TRUE(before->asks_for_secrets());
}

TEST_F(GateTest, AnExposedListenerIsNeverLeftOpen) {
  EXPECT_EQ(open("", true), nullptr);
  write("token", "first");
  const auto gate = open("bearer_token_files: [token]\n", true);
  ASSERT_NE(gate, nullptr);
  write("ingest.yml", "");
  EXPECT_FALSE(gate->reload());
  EXPECT_TRUE(gate->rules(now_)->asks_for_secrets());
}

// Whatever the machine's clock says when the agent starts.
TEST_F(GateTest, ALimitBeginsWithItsWholeBurst) {
  now_ = SteadyInstant(1s);
  const auto gate = open("rate_limit: {interval: 1h, burst: 2}\n");
  EXPECT_TRUE(gate->admit(now_));
  EXPECT_TRUE(gate->admit(now_));
  EXPECT_FALSE(gate->admit(now_));
}

TEST_F(GateTest, RequestsAreLimited) {
  const auto gate = open("rate_limit: {interval: 1s, burst: 3}\n");
  const auto admitted = [&] {
    int count = 0;
    while (count < 10 && gate->admit(now_)) ++count;
    return count;
  };
  EXPECT_EQ(admitted(), 3);
  now_ += 900ms;
  EXPECT_EQ(admitted(), 0);
  now_ += 200ms;
  EXPECT_EQ(admitted(), 1);
  now_ += 1h;
  EXPECT_EQ(admitted(), 3);
  write("ingest.yml", "rate_limit: {interval: 0, burst: 0}\n");
  EXPECT_TRUE(gate->reload());
  EXPECT_EQ(admitted(), 10);
}

}  // namespace
}  // namespace agent::access
