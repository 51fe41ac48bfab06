// <taskscope/net/io.hpp> - the I/O context of an executor: Boost.Asio, run by the workers themselves.
// SPDX-License-Identifier: MIT
//
// Who runs it and when: net/README.md.
#pragma once

#include <boost/asio/io_context.hpp>

#if defined(BOOST_ASIO_HAS_IO_URING) && defined(BOOST_ASIO_DISABLE_EPOLL)
#error \
    "taskscope: net needs Asio's epoll backend; the io_uring one loses wake-ups. \
Do not define BOOST_ASIO_DISABLE_EPOLL."
#endif

namespace taskscope {
class executor;
}

namespace taskscope::net {

/// The I/O context of `home`, made at the first call. Sockets, acceptors and timers of tasks belong to it:
///
///     boost::asio::ip::tcp::socket socket{net::context(home)};
///     auto [error, n] = co_await socket.async_read_some(buffer, net::use_task);
///
/// It has no thread of its own: an idle worker waits in it, and busy ones look at it now and then. So a handler
/// of yours (a lambda given to Asio, say) runs on a worker, one at a time, and must neither block nor throw. Do
/// not run() or poll() it yourself.
///
/// Lifetime: that of the executor. Objects made with it must be destroyed before.
/// Throws: misuse_error if the executor has another reactor, or is a manual_executor, whose clock does not move
///   with the kernel's; std::system_error when out of file descriptors.
/// Thread safety: any thread. An object made with it: one task at a time, as Asio says, wherever that task runs.
boost::asio::io_context& context(executor& home);

}  // namespace taskscope::net
