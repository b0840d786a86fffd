#include "agent/access/passwords.h"

#include <gtest/gtest.h>

#include <future>

#include "agent/access/bcrypt.h"
#include "agent/access/credentials.h"

namespace agent::access {
namespace {

constexpr std::string_view kHash = "$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga";
constexpr const char* kSlow = "$2a$31$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga";
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

using Verdict = Passwords::Verdict;
constexpr Sender kSender = 1;

class PasswordsTest : public testing::Test {
 protected:
  bool check(const Passwords::Claim& claim) {
    std::promise<Verdict> verdict;
    passwords_.check(kSender, claim, [&](Verdict is) { verdict.set_value(is); });
    return verdict.get_future().get() == Verdict::kGood;
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
  passwords_.remember(good.proof);
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
  passwords_.remember(unknown.proof);
  EXPECT_FALSE(passwords_.remembers(claim("nobody", kPassword)));
  EXPECT_FALSE(passwords_.remembers(claim("ann", kPassword)));
}

TEST_F(PasswordsTest, AChangedHashForgets) {
  passwords_.remember(claim("ann", kPassword).proof);
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
  passwords_.remember(first.proof);
  for (std::size_t i = 0; i < Passwords::kMostRemembered; ++i)
    passwords_.remember({key_.of({std::to_string(i)}), key_.of({"all", std::to_string(i)})});
  EXPECT_FALSE(passwords_.remembers(first));
}

// bcrypt reads 72 bytes: of a longer password there are any number, all good.
TEST_F(PasswordsTest, NobodysPasswordsPushOutAnothers) {
  config_.users.emplace("ben", kHash);
  passwords_.remember(claim("ben", kPassword).proof);
  for (std::size_t i = 0; i < 2 * Passwords::kMostRemembered; ++i)
    passwords_.remember(claim("ann", kPassword + std::to_string(i)).proof);
  EXPECT_TRUE(passwords_.remembers(claim("ben", kPassword)));
}

TEST_F(PasswordsTest, OnlySoManyOfASenderWait) {
  config_.users["slow"] = kSlow;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    passwords_.check(kSender, claim("slow", "x"), [&](Verdict verdict) {
      EXPECT_EQ(verdict, Verdict::kTooManyWait);
      ++refused;
    });
  }
  EXPECT_GE(refused, 100 - Turns<int>::kMostOfOne - 1) << "one may be under way";
  const std::size_t others = refused;
  passwords_.check(kSender + 1, claim("slow", "x"), [&](Verdict) { ++refused; });
  EXPECT_EQ(refused, others) << "who else comes waits";
}

// 2^31 rounds take longer than anybody waits.
TEST_F(PasswordsTest, StoppingWaitsForNoCheck) {
  config_.users["slow"] = kSlow;
  const auto kept = std::make_shared<int>(0);
  passwords_.check(kSender, claim("slow", "x"), [kept](Verdict) { FAIL(); });
  passwords_.check(kSender, claim("ann", "x"), [kept](Verdict) { FAIL(); });
  passwords_.stop();
  EXPECT_EQ(kept.use_count(), 1) << "nothing of those who asked is held";
  Verdict verdict = Verdict::kGood;
  passwords_.check(kSender, claim("ann", "x"), [&](Verdict is) { verdict = is; });
  EXPECT_EQ(verdict, Verdict::kTooManyWait);
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
