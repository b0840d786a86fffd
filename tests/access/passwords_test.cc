#include "agent/access/passwords.h"

#include <gtest/gtest.h>

#include <future>

#include "agent/access/bcrypt.h"
#include "agent/access/credentials.h"

namespace agent::access {
namespace {

constexpr std::string_view kHash = "$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga";
constexpr const char* kPassword = "allmine";

TEST(Bcrypt, KnowsAPasswordByItsHash) {
  EXPECT_TRUE(matches_bcrypt(kHash, kPassword));
  EXPECT_FALSE(matches_bcrypt(kHash, "allmines"));
  EXPECT_FALSE(matches_bcrypt(kHash, ""));
  EXPECT_FALSE(matches_bcrypt(kHash, std::string_view("allmine\0x", 9)));
  std::string other(kHash);
  other[2] = 'y';  // another program's letter
  EXPECT_TRUE(matches_bcrypt(other, kPassword));
  other[7] = '!';  // no salt
  EXPECT_FALSE(matches_bcrypt(other, kPassword));
}

class PasswordsTest : public testing::Test {
 protected:
  bool check(const Passwords::Claim& claim) {
    std::promise<bool> verdict;
    EXPECT_TRUE(passwords_.check(claim, [&](bool is_good) { verdict.set_value(is_good); }));
    return verdict.get_future().get();
  }
  Passwords::Claim claim(std::string_view name, std::string_view password) {
    return passwords_.claim(config_, name, password);
  }

  DigestKey key_;
  Passwords passwords_{key_};
  Config config_{.users = {{"ann", std::string(kHash)}}};
};

TEST_F(PasswordsTest, AreCheckedAndRemembered) {
  const auto good = claim("ann", kPassword);
  EXPECT_FALSE(passwords_.remembers(good));
  EXPECT_TRUE(check(good));
  passwords_.remember(good.digest);
  EXPECT_TRUE(passwords_.remembers(claim("ann", kPassword)));
  EXPECT_FALSE(passwords_.remembers(claim("ann", "allmine ")));
  EXPECT_FALSE(check(claim("ann", "wrong")));
}

// Nobody gets in by a name that is not there, even with the password behind the hash that stands
// in.
TEST_F(PasswordsTest, AnUnknownNameIsCheckedAndNeverGood) {
  const auto unknown = claim("nobody", kPassword);
  EXPECT_EQ(unknown.hash, kHash);
  EXPECT_FALSE(check(unknown));
  passwords_.remember(unknown.digest);
  EXPECT_FALSE(passwords_.remembers(claim("nobody", kPassword)));
  EXPECT_FALSE(passwords_.remembers(claim("ann", kPassword)));
}

TEST_F(PasswordsTest, AChangedHashForgets) {
  passwords_.remember(claim("ann", kPassword).digest);
  config_.users["ann"][50] ^= 1;
  EXPECT_FALSE(passwords_.remembers(claim("ann", kPassword)));
  config_.users.erase("ann");
  config_.users.emplace("ben", kHash);
  EXPECT_FALSE(passwords_.remembers(claim("ann", kPassword)));
}

// "ann" with "b" is not "an" with "nb".
TEST_F(PasswordsTest, BoundariesCount) {
  EXPECT_NE(key_.of({"ann", "b"}), key_.of({"an", "nb"}));
  EXPECT_NE(key_.of({"ann", "b"}), DigestKey().of({"ann", "b"}));
}

TEST_F(PasswordsTest, OnlySoManyAreRemembered) {
  const auto first = claim("ann", kPassword);
  passwords_.remember(first.digest);
  for (std::size_t i = 0; i < Passwords::kMostRemembered; ++i)
    passwords_.remember(key_.of({std::to_string(i)}));
  EXPECT_FALSE(passwords_.remembers(first));
}

TEST_F(PasswordsTest, OnlySoManyWait) {
  std::size_t taken = 0;
  while (passwords_.check(claim("ann", "wrong"), [](bool) {})) ++taken;
  EXPECT_GE(taken, Passwords::kMostWaiting);
  EXPECT_LE(taken, Passwords::kMostWaiting + 8) << "each takes its time";
}

// 2^31 rounds take longer than anybody waits.
TEST_F(PasswordsTest, StoppingWaitsForNoCheck) {
  config_.users["slow"] = "$2a$31$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga";
  const auto kept = std::make_shared<int>(0);
  EXPECT_TRUE(passwords_.check(claim("slow", "x"), [kept](bool) { FAIL(); }));
  EXPECT_TRUE(passwords_.check(claim("ann", "x"), [kept](bool) { FAIL(); }));
  passwords_.stop();
  EXPECT_EQ(kept.use_count(), 1) << "nothing of those who asked is held";
  EXPECT_FALSE(passwords_.check(claim("ann", "x"), [](bool) {}));
}

TEST(Credentials, AreReadStrictly) {
  const auto basic = [](std::string_view text) {
    const Credentials read = read_credentials(text);
    const auto* it = std::get_if<Basic>(&read);
    return it != nullptr ? it->name + "|" + it->password : "none";
  };
  EXPECT_EQ(basic("Basic YW5uOmE6Yg=="), "ann|a:b");
  EXPECT_EQ(basic("bAsIc   Og=="), "|");
  for (const std::string_view bad :
       {"", "Basic", "Basic ", "Basic YW5u",
        "Basic YW5uOmE6Yg=", "Basic YW5uOmE6Y g==", "Basic YW5u=mE6", "Basic =", "Digest a"})
    EXPECT_EQ(basic(bad), "none") << bad;
  const Credentials bearer = read_credentials("Bearer a.b-c");
  EXPECT_EQ(std::get<Bearer>(bearer).token, "a.b-c");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(read_credentials("Bearer ")));
}

}  // namespace
}  // namespace agent::access
