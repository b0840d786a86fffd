// The listener with access rules: what only a raw client and a pushed clock can show. The rest is
// tests/e2e/access_test.py.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <filesystem>
#include <fstream>

#include "tests/web/running_server.h"

namespace agent::web {
namespace {

using namespace std::chrono_literals;
using access::Refusal;

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

// A certificate that signed itself, and its key, in one text.
std::string make_pair() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return text_of(bio);
}

class AccessTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_);
    std::ofstream(folder_ / "pair.pem") << make_pair();
    std::ofstream(folder_ / "web.yml")
        << "tls_server_config: {cert_file: pair.pem, key_file: pair.pem}\n";
    auto gate = access::Gate::open({folder_ / "web.yml"}, key_);
    ASSERT_TRUE(gate) << gate.error().front().text();
    Limits limits;
    limits.handshakes = 3;
    server_.emplace(std::vector<Route>{}, *gate, passwords_, limits);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::uint64_t refused(Refusal reason) {
    return server_->on_loop(
        [&] { return server_->listener().refusals().counts()[static_cast<std::size_t>(reason)]; });
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("access-" + std::to_string(::getpid()));
  const access::DigestKey key_;
  access::Passwords passwords_{key_};
  std::optional<RunningServer> server_;
};

TEST_F(AccessTest, AHandshakeThatTakesTooLongIsGivenUp) {
  RawClient silent(server_->port()), slow(server_->port());
  EXPECT_TRUE(slow.send("\x16\x03\x01"));
  EXPECT_TRUE(eventually(
      [&] { return server_->on_loop([&] { return server_->listener().connections(); }) == 2; }));
  server_->clock.push(11s);
  for (RawClient* client : {&silent, &slow}) {
    bool closed = false;
    EXPECT_EQ(client->rest(&closed), "");
    EXPECT_TRUE(closed);
  }
  EXPECT_EQ(refused(Refusal::kTlsHandshake), 2U);
}

TEST_F(AccessTest, OfManyHandshakesTheLongestGivesWay) {
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    clients.push_back(std::make_unique<RawClient>(server_->port()));
    EXPECT_TRUE(clients.back()->send("\x16\x03\x01"));
    const auto count = [&] { return server_->listener().connections(); };
    EXPECT_TRUE(eventually([&] { return server_->on_loop(count) == std::min<std::size_t>(i, 3); }));
    server_->clock.push(1s);
  }
  bool closed = false;
  EXPECT_EQ(clients.front()->rest(&closed), "");
  EXPECT_TRUE(closed);
  // It is closed first, and then learns why.
  EXPECT_TRUE(eventually([&] { return refused(Refusal::kTlsHandshake) == 1U; }));
}

TEST_F(AccessTest, PlainHttpIsToldSo) {
  RawClient client(server_->port());
  EXPECT_TRUE(client.send("OPTIONS /metrics HTTP/1.1\r\nHost: a\r\n\r\n"));
  const std::string reply = client.reply();
  EXPECT_EQ(status_of(reply), 400);
  EXPECT_NE(body_of(reply).find("https://"), std::string::npos);
  EXPECT_EQ(refused(Refusal::kPlainHttp), 1U);
}

// A kubelet's probe of the port connects and goes.
TEST_F(AccessTest, WhoSaysNothingIsRefusedNothing) {
  {
    RawClient probe(server_->port());
    EXPECT_TRUE(eventually(
        [&] { return server_->on_loop([&] { return server_->listener().connections(); }) == 1; }));
  }
  EXPECT_TRUE(eventually(
      [&] { return server_->on_loop([&] { return server_->listener().connections(); }) == 0; }));
  EXPECT_EQ(refused(Refusal::kTlsHandshake), 0U);
}

}  // namespace
}  // namespace agent::web
