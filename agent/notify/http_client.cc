#include "agent/notify/http_client.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>

namespace agent::notify {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
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
  request.set(http::field::content_type, {content_type.data(), content_type.size()});
  request.set(http::field::connection, "close");
  if (!secret->empty()) request.set(http::field::authorization, header_safe(*secret));
  request.body() = std::move(body);
  request.prepare_payload();
  return request;
}

template <typename Stream>
asio::awaitable<Answer> exchange(Stream& stream, HttpRequest& request) {
  co_await http::async_write(stream, request, use_awaitable);
  beast::flat_buffer buffer(kMostHead);
  http::response_parser<http::string_body> parser;
  parser.header_limit(kMostHead);
  parser.body_limit(HttpClient::kMostReply);
  boost::system::error_code fault;
  co_await http::async_read(stream, buffer, parser, asio::redirect_error(use_awaitable, fault));
  // The status is what counts: a longer answer, or one cut off in its body, has one, too.
  if (fault && !parser.is_header_done() && fault != http::error::body_limit)
    throw boost::system::system_error(fault);
  co_return Answer{parser.get().result_int(), std::move(parser.get().body())};
}

void prepare(ssl::context& context, const Endpoint& endpoint) {
  context.set_verify_mode(ssl::verify_peer);
  if (endpoint.ca_file.empty())
    context.set_default_verify_paths();
  else
    context.load_verify_file(endpoint.ca_file);
  if (!endpoint.cert_file.empty()) context.use_certificate_chain_file(endpoint.cert_file);
  if (!endpoint.key_file.empty())
    context.use_private_key_file(endpoint.key_file, ssl::context::pem);
}

asio::awaitable<Answer> call(const Endpoint& endpoint, HttpRequest& request) {
  auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver(executor);
  const auto places = co_await resolver.async_resolve(endpoint.host, endpoint.port, use_awaitable);
  if (!endpoint.is_tls) {
    tcp::socket socket(executor);
    co_await asio::async_connect(socket, places, use_awaitable);
    co_return co_await exchange(socket, request);
  }
  ssl::context context(ssl::context::tls_client);
  prepare(context, endpoint);
  ssl::stream<tcp::socket> stream(executor, context);
  const std::string& name = endpoint.server_name.empty() ? endpoint.host : endpoint.server_name;
  stream.set_verify_callback(ssl::host_name_verification(name));
  // What the macro SSL_set_tlsext_host_name does, without its cast.
  std::string sent = name;
  SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           sent.data());
  co_await asio::async_connect(stream.next_layer(), places, use_awaitable);
  co_await stream.async_handshake(ssl::stream_base::client, use_awaitable);
  co_return co_await exchange(stream, request);
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
  asio::co_spawn(*loop, call(endpoint, *request), [&](std::exception_ptr fault, Answer answer) {
    if (!fault) {
      done.emplace(std::move(answer));
      return;
    }
    try {
      std::rethrow_exception(fault);
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
