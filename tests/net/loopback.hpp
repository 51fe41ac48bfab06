// tests/net/loopback.hpp - what the tests of this room share: connected sockets, and tasks that use them.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/net/io.hpp>
#include <taskscope/net/use_task.hpp>
#include <taskscope/taskscope.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <utility>

namespace taskscope::test {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using net::use_task;
using namespace std::chrono_literals;

/// Longer than any test.
constexpr auto forever = std::chrono::hours(1);

/// Runs a coroutine that is a lambda. Its captures live until it has ended.
template <class Body>
auto run(executor& ex, Body body) {
    return ex.run(body());
}

/// An acceptor on a free port of the loopback interface.
inline tcp::acceptor listen(executor& ex) {
    return {net::context(ex), tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
}

/// Two sockets connected with each other.
struct connection {
    explicit connection(executor& ex) : near(net::context(ex)), far(net::context(ex)) {
        tcp::acceptor acceptor = listen(ex);
        near.connect(acceptor.local_endpoint());
        acceptor.accept(far);
    }
    tcp::socket near;
    tcp::socket far;
};

/// Starts an operation of our own making: `initiation(handler)`.
template <class Signature, class Initiation>
auto start(Initiation initiation) {
    return asio::async_initiate<const net::use_task_t&, Signature>(std::move(initiation), use_task);
}

/// Waits for a time with an Asio timer.
inline task<error_code> wait_for(executor& ex, std::chrono::steady_clock::duration d) {
    asio::steady_timer timer(net::context(ex), d);
    co_return co_await timer.async_wait(use_task);
}

/// Sends back what it gets until the other side closes.
inline task<> echo(tcp::socket socket) {
    std::array<char, 512> data;
    for (;;) {
        const auto [end, n] = co_await socket.async_read_some(asio::buffer(data), use_task);
        if (end) co_return;
        const auto [error, m] = co_await asio::async_write(socket, asio::buffer(data, n), use_task);
        if (error) co_return;
    }
}

/// Every test has to give back coroutine frames and files.
class on_workers : public support::ledger, public testing::WithParamInterface<unsigned> {};

}  // namespace taskscope::test
