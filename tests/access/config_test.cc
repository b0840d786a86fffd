#include "agent/access/config.h"

#include <gtest/gtest.h>

namespace agent::access {
namespace {

using settings::Document;

constexpr std::string_view kHash = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze";

std::string faults_of(std::string_view yaml, Schema schema = Schema::kWeb) {
  const auto config = read_config(Document::parse(yaml, "web.yml"), schema);
  std::string out;
  if (!config) {
    for (const settings::Fault& fault : config.error()) out += fault.text() + "\n";
  }
  return out;
}

Config read(std::string_view yaml, const std::string& name = "/etc/agent/web.yml") {
  auto config = read_config(Document::parse(yaml, name), Schema::kIngest);
  EXPECT_TRUE(config) << (config ? "" : config.error().front().text());
  return config.value_or(Config{});
}

TEST(Config, AnEmptyFileAsksForNothing) {
  const Config config = read("");
  EXPECT_FALSE(config.tls);
  EXPECT_FALSE(config.authenticates());
}

TEST(Config, PathsAreRelativeToTheFile) {
  const Config config = read(
      "tls_server_config: {cert_file: tls/a.crt, key_file: /b.key}\nbearer_token_files: [t]\n");
  EXPECT_EQ(config.tls->certificate.file.path, "/etc/agent/tls/a.crt");
  EXPECT_EQ(config.tls->key.file.path, "/b.key");
  EXPECT_EQ(config.token_files.at(0).path, "/etc/agent/t");
  EXPECT_EQ(
      read("tls_server_config: {cert_file: a, key_file: b}", "web.yml").tls->certificate.file.path,
      "a");
}

TEST(Config, DefaultsAreTheToolkits) {
  const Config config = read("tls_server_config: {cert_file: a, key_file: b}\n");
  EXPECT_EQ(config.tls->least, TlsVersion::kTls12);
  EXPECT_EQ(config.tls->greatest, TlsVersion::kTls13);
  EXPECT_TRUE(config.tls->prefers_own_order);
  EXPECT_EQ(config.tls->client_auth, ClientAuth::kNone);
}

TEST(Config, ASectionWithoutCertificatesIsPlainHttp) {
  EXPECT_FALSE(read("tls_server_config: {min_version: TLS13}\n").tls);
  EXPECT_EQ(faults_of("tls_server_config: {client_auth_type: NoClientCert}\n"),
            "web.yml:1:1: TLS needs cert_file (or cert)\n"
            "web.yml:1:1: TLS needs key_file (or key)\n");
}

TEST(Config, OnlySecretsAndVerifiedCertificatesAuthenticate) {
  const std::string tls = "tls_server_config: {cert_file: a, key_file: b, client_auth_type: ";
  EXPECT_TRUE(read(tls + "RequireAndVerifyClientCert}").authenticates());
  EXPECT_FALSE(read(tls + "RequireAnyClientCert, client_allowed_sans: [a]}").authenticates());
  EXPECT_FALSE(read(tls + "VerifyClientCertIfGiven}").authenticates());
  EXPECT_TRUE(read("bearer_token_files: [t]").authenticates());
  EXPECT_TRUE(read("basic_auth_users: {a: '" + std::string(kHash) + "'}").authenticates());
  EXPECT_FALSE(read("basic_auth_users: {}").authenticates());
}

TEST(Config, WhatContradictsItselfIsRefused) {
  const std::string pair = "tls_server_config:\n  cert_file: a\n  key_file: b\n";
  EXPECT_EQ(faults_of(pair + "  client_ca_file: c\n"),
            "web.yml:4:19: client CAs without client_auth_type check nobody: set it to "
            "RequireAndVerifyClientCert, or leave the CAs out\n");
  EXPECT_NE(faults_of(pair + "  client_allowed_sans: [a]\n"), "");
  EXPECT_NE(faults_of(pair + "  max_version: TLS11\n"), "");
  EXPECT_EQ(faults_of(pair + "  min_version: TLS10\n"), "");
}

TEST(Config, SecretsAreInNoFault) {
  const std::string faults =
      faults_of("tls_server_config: {key: s3cret}\nbasic_auth_users: {a: s3cret, b: [s3cret]}\n");
  EXPECT_EQ(faults.find("s3cret"), std::string::npos) << faults;
}

TEST(Config, TokensAreTheIngestListenersOnly) {
  EXPECT_EQ(faults_of("bearer_token_files: [t]\n"),
            "web.yml:1:1: bearer_token_files is for ingest.config.file only\n");
  EXPECT_EQ(faults_of("bearer_token_files: [t]\n", Schema::kIngest), "");
  EXPECT_EQ(faults_of("bearer_token_files: ['', {a: b}]\n", Schema::kIngest),
            "web.yml:1:22: bearer_token_files names no file here\n"
            "web.yml:1:26: bearer_token_files takes one value\n");
}

TEST(Config, HeadersCannotSplitAReply) {
  EXPECT_NE(faults_of("http_server_config:\n  headers:\n"
                      "    Content-Security-Policy: \"a\\r\\nSet-Cookie: b\"\n"),
            "");
}

TEST(Config, AFileIsKnownByItsKeys) {
  const auto schema = [](std::string_view yaml) { return schema_of(Document::parse(yaml, "a")); };
  EXPECT_EQ(schema("tls_server_config: {}"), Schema::kWeb);
  EXPECT_EQ(schema("basic_auth_user: {}"), Schema::kWeb);
  EXPECT_EQ(schema("bearer_token_files: []"), Schema::kIngest);
  EXPECT_EQ(schema("web: {listen_address: ':1'}"), std::nullopt);
  EXPECT_EQ(schema(""), std::nullopt);
}

}  // namespace
}  // namespace agent::access
