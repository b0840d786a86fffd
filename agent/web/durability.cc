#include "agent/web/durability.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>

namespace agent::web {

namespace asio = boost::asio;

asio::awaitable<bool> Durability::wait(tracker::Revision revision, Reached reached,
                                       Duration patience) {
  asio::steady_timer deadline(co_await asio::this_coro::executor, patience);
  const auto is_over = std::make_shared<bool>(false);  // may outlive this wait by one callback
  // Wakes all that wait, now and then for nothing; none is held longer than it wants to be.
  deadline.async_wait([this, is_over](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    *is_over = true;
    changed_.cancel();
  });
  while ((tracker_.*reached)() < revision) {
    if (*is_over) co_return false;
    boost::system::error_code ignored;
    co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return true;
}

}  // namespace agent::web
