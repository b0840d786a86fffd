#include "agent/access/tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "agent/access/file.h"

namespace agent::access {
namespace {

using settings::Fault;
using settings::Faults;
using std::string_view;

template <auto Free>
struct Freeing {
  template <typename T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using Bio = std::unique_ptr<BIO, Freeing<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freeing<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freeing<GENERAL_NAMES_free>>;

// What OpenSSL says went wrong last; its queue is empty afterwards.
std::string reason() {
  const char* text = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return text != nullptr ? text : "it cannot be read";
}

// An encrypted key is refused, instead of asking a terminal for its password.
int no_password(char* /*into*/, int /*size*/, int /*writing*/, void* /*unused*/) { return -1; }

int protocol_of(TlsVersion version) {
  switch (version) {
    case TlsVersion::kTls10:
    case TlsVersion::kTls11:
    case TlsVersion::kTls12:
      return TLS1_2_VERSION;
    case TlsVersion::kTls13:
      return TLS1_3_VERSION;
  }
  return TLS1_3_VERSION;
}

int verify_mode_of(ClientAuth auth) {
  switch (auth) {
    case ClientAuth::kNone:
      return SSL_VERIFY_NONE;
    case ClientAuth::kRequest:
    case ClientAuth::kVerifyIfGiven:
      return SSL_VERIFY_PEER;
    case ClientAuth::kRequireAny:
    case ClientAuth::kRequireAndVerify:
      return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

std::string joined(const std::vector<string_view>& names) {
  std::string out;
  for (const string_view name : names) out.append(out.empty() ? "" : ":").append(name);
  return out;
}

// Of the suites listed those up to TLS 1.2: the ones of 1.3 are not chosen, here as in Go.
std::vector<string_view> suites_before_13(const std::vector<string_view>& all) {
  std::vector<string_view> out;
  std::ranges::copy_if(all, std::back_inserter(out),
                       [](string_view name) { return !name.starts_with("TLS_"); });
  return out;
}

Result<std::string, Fault> text_of(const Pem& pem, const std::string& configuration) {
  if (pem.file.path.empty()) return pem.text;
  auto text = read_file(pem.file.path);
  if (!text) return failure(Fault{{configuration, pem.file.mark}, text.error().message, {}});
  return *std::move(text);
}

// "cert_file /etc/tls/tls.crt", for faults.
Fault fault_of(const Pem& pem, const std::string& configuration, string_view key,
               const std::string& why) {
  const bool is_file = !pem.file.path.empty();
  const std::string what = std::string(key) + (is_file ? "_file: " + pem.file.path : std::string());
  return {{configuration, is_file ? pem.file.mark : pem.mark}, what + ": " + why, {}};
}

Bio reader_of(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// The first certificate is the server's own, the others lead from it to a root.
bool use_certificates(SSL_CTX* context, const std::string& pem) {
  const Bio bio = reader_of(pem);
  const Certificate own(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
  if (!own || SSL_CTX_use_certificate(context, own.get()) != 1) return false;
  while (Certificate next{PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)}) {
    if (SSL_CTX_add0_chain_cert(context, next.get()) != 1) return false;
    static_cast<void>(next.release());  // the context's from now on
  }
  ERR_clear_error();  // there was no further one
  return true;
}

bool use_key(SSL_CTX* context, const std::string& pem) {
  const Bio bio = reader_of(pem);
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  return key && SSL_CTX_use_PrivateKey(context, key.get()) == 1 &&
         SSL_CTX_check_private_key(context) == 1;
}

// A file without certificates trusts nobody, as Go has it.
void trust(SSL_CTX* context, const std::string& pem) {
  const Bio bio = reader_of(pem);
  while (const Certificate each{PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)}) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), each.get());
    SSL_CTX_add_client_CA(context, each.get());
  }
  ERR_clear_error();
}

// An address as Go writes it.
std::string address_of(const ASN1_OCTET_STRING* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int size = ASN1_STRING_length(bytes);
  if (size != 4 && size != 16) return {};
  inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text.data(), text.size());
  return text.data();
}

std::string text_of(const GENERAL_NAME* name) {
  int type = 0;
  const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(name, &type));
  if (type == GEN_IPADD) return address_of(value);
  if (type != GEN_DNS && type != GEN_EMAIL && type != GEN_URI) return {};
  const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(value));
  return {bytes, static_cast<std::size_t>(ASN1_STRING_length(value))};
}

}  // namespace

void TlsContext::Free::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

TlsContext::TlsContext(const TlsConfig& config)
    : client_auth_(config.client_auth),
      allowed_sans_(config.client_allowed_sans),
      context_(SSL_CTX_new(TLS_server_method())) {}

TlsContext::~TlsContext() = default;

int TlsContext::verify(X509_STORE_CTX* chain, void* self) {
  const auto* context = static_cast<const TlsContext*>(self);
  const bool looks_closely = context->client_auth_ == ClientAuth::kVerifyIfGiven ||
                             context->client_auth_ == ClientAuth::kRequireAndVerify;
  if (looks_closely && X509_verify_cert(chain) != 1) return 0;
  if (context->is_allowed(chain)) return 1;
  X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

bool TlsContext::is_allowed(X509_STORE_CTX* chain) const {
  if (!allowed_sans_) return true;
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(X509_STORE_CTX_get0_cert(chain), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const std::string name = text_of(sk_GENERAL_NAME_value(names.get(), i));
    if (!name.empty() && std::ranges::find(*allowed_sans_, name) != allowed_sans_->end())
      return true;
  }
  return false;
}

Result<std::shared_ptr<const TlsContext>, Faults> TlsContext::load(
    const TlsConfig& config, const std::string& configuration) {
  const std::shared_ptr<TlsContext> made(new TlsContext(config));
  SSL_CTX* context = made->context_.get();
  const auto certificates = text_of(config.certificate, configuration);
  const auto key = text_of(config.key, configuration);
  const auto cas = text_of(config.client_ca, configuration);
  Faults faults;
  for (const auto* text : {&certificates, &key, &cas}) {
    if (!*text) faults.push_back(text->error());
  }
  if (certificates && !use_certificates(context, *certificates))
    faults.push_back(fault_of(config.certificate, configuration, "cert", reason()));
  // A key that fits no certificate is refused here, too.
  if (certificates && key && faults.empty() && !use_key(context, *key))
    faults.push_back(fault_of(config.key, configuration, "key", reason()));
  if (!faults.empty()) return failure(std::move(faults));
  if (config.client_ca.is_given())
    trust(context, *cas);
  else
    SSL_CTX_set_default_verify_paths(context);  // as Go: the system's
  made->set_rules(config);
  return std::shared_ptr<const TlsContext>(made);
}

void TlsContext::set_rules(const TlsConfig& config) {
  SSL_CTX* context = context_.get();
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (config.prefers_own_order) SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  // A session that is resumed would not be checked against the certificates in force.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  const std::vector<string_view> suites = suites_before_13(config.cipher_suites);
  const bool only_13 = suites.empty() && !config.cipher_suites.empty();
  SSL_CTX_set_min_proto_version(context, only_13 ? TLS1_3_VERSION : protocol_of(config.least));
  SSL_CTX_set_max_proto_version(context, protocol_of(config.greatest));
  constexpr const char* kUsualSuites = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES";
  SSL_CTX_set_cipher_list(context, suites.empty() ? kUsualSuites : joined(suites).c_str());
  if (!config.curves.empty()) SSL_CTX_set1_groups_list(context, joined(config.curves).c_str());
  SSL_CTX_set_verify(context, verify_mode_of(config.client_auth), nullptr);
  SSL_CTX_set_cert_verify_callback(context, &TlsContext::verify, this);
}

}  // namespace agent::access
