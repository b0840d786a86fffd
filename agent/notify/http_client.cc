#include "agent/notify/http_client.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace agent::notify {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::use_awaitable;
using asio::ip::tcp;
using HttpRequest = http::request<http::string_body>;

constexpr std::size_t kMostHead = 16'384, kMostSecret = 65'536;

// A password or token, without the line break that editors leave.
Result<std::string> secret_in(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  if (!file) return failure("cannot read " + path + ": " + std::strerror(errno));
  std::string text(kMostSecret, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

std::string base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = (bits << 8U) | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k > text.size() ? '=' : kDigits[(bits >> (18 - 6 * k)) & 63U];
  }
  return out;
}

Result<std::string> authorization(const Endpoint& endpoint) {
  if (!endpoint.bearer_token_file.empty()) {
    auto token = secret_in(endpoint.bearer_token_file);
    if (!token) return token;
    return "Bearer " + *token;
  }
  if (endpoint.username.empty()) return std::string();
  std::string password = endpoint.password;
  if (!endpoint.password_file.empty()) {
    auto read = secret_in(endpoint.password_file);
    if (!read) return read;
    password = *read;
  }
  return "Basic " + base64(endpoint.username + ":" + password);
}

// What a header must not hold ends it early: nothing after a control character is sent.
std::string header_safe(std::string text) {
  const auto bad =
      std::find_if(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; });
  text.erase(bad, text.end());
  return text;
}

Result<HttpRequest> request_of(std::string_view method, const Endpoint& endpoint,
                               std::string_view target, std::string_view content_type,
                               std::string body) {
  auto secret = authorization(endpoint);
  if (!secret) return failure(std::move(secret.error()));
  HttpRequest request;
  request.version(11);
  request.method_string({method.data(), method.size()});
  request.target({target.data(), target.size()});
  const std::string shown = endpoint.shown();
  request.set(http::field::host, shown.substr(shown.find("//") + 2));
  request.set(http::field::user_agent, "progress-agent/" AGENT_VERSION);
  if (!content_type.empty())
    request.set(http::field::content_type, {content_type.data(), content_type.size()});
  request.set(http::field::connection, "close");
  if (!secret->empty()) request.set(http::field::authorization, header_safe(*secret));
  request.body() = std::move(body);
  request.prepare_payload();
  return request;
}

// Bytes to and from a server.
class Connection {
 public:
  explicit Connection(tcp::socket socket) : socket_(std::move(socket)) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  virtual asio::awaitable<void> write(std::string_view bytes) { co_await send(bytes); }
  // At least one byte; 0: there are no more.
  virtual asio::awaitable<std::size_t> read(asio::mutable_buffer into) {
    co_return co_await receive(into);
  }

 protected:
  asio::awaitable<void> send(std::string_view bytes) {
    co_await asio::async_write(socket_, asio::buffer(bytes), use_awaitable);
  }
  asio::awaitable<std::size_t> receive(asio::mutable_buffer into) {
    boost::system::error_code fault;
    const std::size_t got =
        co_await socket_.async_read_some(into, asio::redirect_error(use_awaitable, fault));
    if (fault && fault != asio::error::eof) throw boost::system::system_error(fault);
    co_return got;
  }

 private:
  tcp::socket socket_;
};

// What OpenSSL says went wrong.
[[noreturn]] void throw_tls(const SSL* ssl, const std::string& doing) {
  const auto verified = ssl != nullptr ? SSL_get_verify_result(ssl) : X509_V_OK;
  const unsigned long code = ERR_get_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  throw std::runtime_error(doing + ": " +
                           (verified != X509_V_OK ? X509_verify_cert_error_string(verified)
                            : reason != nullptr   ? reason
                                                  : "the connection was closed"));
}

// An encrypted key is refused, instead of asking a terminal for its password.
int no_password(char* /*into*/, int /*size*/, int /*writing*/, void* /*unused*/) { return -1; }

// TLS by way of memory: OpenSSL never sees the socket. (Asio's own wrapper initialises OpenSSL when
// the program starts, whether it is used or not.)
class TlsConnection final : public Connection {
 public:
  TlsConnection(tcp::socket socket, const Endpoint& endpoint)
      : Connection(std::move(socket)),
        context_(context_of(endpoint)),
        ssl_(SSL_new(context_.get())) {
    if (!ssl_) throw_tls(nullptr, "TLS");
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);  // which owns them from now on
    SSL_set_connect_state(ssl_.get());
    std::string name = endpoint.server_name.empty() ? endpoint.host : endpoint.server_name;
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), name.c_str()) == 1) return;
    SSL_set1_host(ssl_.get(), name.c_str());
    // What the macro SSL_set_tlsext_host_name does, without its cast.
    SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  }

  asio::awaitable<void> shake_hands() {
    for (int done = 0; (done = SSL_do_handshake(ssl_.get())) != 1;)
      co_await go_on(done, "TLS handshake");
    co_await flush();
  }
  asio::awaitable<void> write(std::string_view bytes) override {
    for (int done = 0;
         (done = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))) <= 0;)
      co_await go_on(done, "TLS");
    co_await flush();
  }
  asio::awaitable<std::size_t> read(asio::mutable_buffer into) override {
    for (;;) {
      const int got = SSL_read(ssl_.get(), into.data(), static_cast<int>(into.size()));
      if (got > 0) co_return static_cast<std::size_t>(got);
      if (SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN) co_return 0;
      co_await go_on(got, "TLS");
    }
  }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  using Context = std::unique_ptr<SSL_CTX, Free>;

  static Context context_of(const Endpoint& endpoint) {
    Context context(SSL_CTX_new(TLS_client_method()));
    if (!context) throw_tls(nullptr, "TLS");
    SSL_CTX* c = context.get();
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
    const auto require = [](int done, const std::string& file) {
      if (done != 1) throw_tls(nullptr, file);
    };
    if (endpoint.ca_file.empty())
      require(SSL_CTX_set_default_verify_paths(c), "the system's certificates");
    else
      require(SSL_CTX_load_verify_file(c, endpoint.ca_file.c_str()), endpoint.ca_file);
    if (!endpoint.cert_file.empty())
      require(SSL_CTX_use_certificate_chain_file(c, endpoint.cert_file.c_str()),
              endpoint.cert_file);
    SSL_CTX_set_default_passwd_cb(c, no_password);
    if (!endpoint.key_file.empty())
      require(SSL_CTX_use_PrivateKey_file(c, endpoint.key_file.c_str(), SSL_FILETYPE_PEM),
              endpoint.key_file);
    return context;
  }

  // What OpenSSL wants before it can go on: to say something, and to hear something.
  asio::awaitable<void> go_on(int done, const char* doing) {
    if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ) throw_tls(ssl_.get(), doing);
    co_await flush();
    std::array<char, 16'384> bytes;
    const std::size_t got = co_await receive(asio::buffer(bytes));
    if (got == 0) throw_tls(ssl_.get(), doing);
    BIO_write(in_, bytes.data(), static_cast<int>(got));
  }
  asio::awaitable<void> flush() {
    std::string bytes(BIO_ctrl_pending(out_), '\0');
    if (bytes.empty()) co_return;
    BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
    co_await send(bytes);
  }

  Context context_;
  std::unique_ptr<SSL, Free> ssl_;
  BIO *in_ = nullptr, *out_ = nullptr;
};

std::string text_of(const HttpRequest& request) {
  std::ostringstream text;
  text << request;
  return text.str();
}

// The status is what counts: an answer that is too long, or cut off in its body, has one, too.
asio::awaitable<Answer> converse(Connection& connection, const HttpRequest& request,
                                 std::size_t most_reply) {
  co_await connection.write(text_of(request));
  beast::flat_buffer buffer(2 * kMostHead);
  http::response_parser<http::string_body> parser;
  parser.header_limit(kMostHead);
  parser.body_limit(most_reply);
  parser.eager(true);
  boost::system::error_code fault;
  while (!parser.is_done() && !fault) {
    const std::size_t got = co_await connection.read(buffer.prepare(kMostHead));
    buffer.commit(got);
    if (got == 0) {
      parser.put_eof(fault);
      break;
    }
    buffer.consume(parser.put(buffer.data(), fault));
    if (fault == http::error::need_more) fault = {};
  }
  if (!parser.is_header_done() && fault != http::error::body_limit)
    throw std::runtime_error(fault ? fault.message()
                                   : "the connection was closed without an answer");
  const bool is_whole = parser.is_done() && !fault;
  co_return Answer{parser.get().result_int(), std::move(parser.get().body()), is_whole};
}

asio::awaitable<Answer> call(const Endpoint& endpoint, const HttpRequest& request,
                             std::size_t most_reply) {
  auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver(executor);
  const auto places = co_await resolver.async_resolve(endpoint.host, endpoint.port, use_awaitable);
  tcp::socket socket(executor);
  co_await asio::async_connect(socket, places, use_awaitable);
  if (endpoint.is_tls) {
    TlsConnection connection(std::move(socket), endpoint);
    co_await connection.shake_hands();
    co_return co_await converse(connection, request, most_reply);
  }
  Connection connection(std::move(socket));
  co_return co_await converse(connection, request, most_reply);
}

}  // namespace

Result<Answer> HttpClient::send(std::string_view method, const Endpoint& endpoint,
                                std::string_view target, std::string_view content_type,
                                std::string body) {
  auto request = request_of(method, endpoint, target, content_type, std::move(body));
  if (!request) return failure(std::move(request.error()));
  const auto loop = std::make_shared<asio::io_context>(1);
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_) return failure(std::string("the agent stops"));
    running_ = loop;
  }
  std::optional<Result<Answer>> done;
  asio::co_spawn(
      *loop, call(endpoint, *request, most_reply_),
      [&](const std::exception_ptr& fault, Answer answer) {
        if (!fault) {
          done.emplace(std::move(answer));
          return;
        }
        try {
          std::rethrow_exception(fault);
        } catch (const boost::system::system_error& e) {
          done.emplace(failure(e.code().message()));  // what() would name a place in Asio
        } catch (const std::exception& e) {
          done.emplace(failure(std::string(e.what())));
        }
      });
  loop->run_for(endpoint.timeout);
  {
    const std::lock_guard lock(mutex_);
    running_.reset();
    if (!done && cancelled_) return failure(std::string("the agent stops"));
  }
  if (done) return std::move(*done);
  return failure(std::string("no answer in time"));
}

void HttpClient::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (running_) running_->stop();
}

}  // namespace agent::notify
