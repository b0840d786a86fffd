// bare_server: the least that Boost.Beast needs to answer HTTP: bare_server PORT. What the agent's
// start is measured against. One connection at a time, `ok` to every request. The libraries' own
// code is compiled in here.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/src.hpp>
#include <cstdlib>
#include <iostream>

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

void answer(tcp::socket socket) {
  boost::beast::flat_buffer buffer;
  http::request<http::string_body> request;
  boost::beast::error_code error;
  http::read(socket, buffer, request, error);
  if (error) return;
  http::response<http::string_body> response(http::status::ok, request.version(), "ok\n");
  response.prepare_payload();
  http::write(socket, response, error);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: bare_server PORT\n", 2;
  asio::io_context context;
  const auto port = static_cast<unsigned short>(std::atoi(argv[1]));
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), port});
  for (;;) answer(acceptor.accept());
}
