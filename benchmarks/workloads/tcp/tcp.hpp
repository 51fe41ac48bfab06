// benchmarks/workloads/tcp/tcp.hpp - 20 connections over loopback, 10^5 requests and answers; one thread each side.
// SPDX-License-Identifier: MIT
//
// Contenders run the same two coroutines, which are templates over what makes them coroutines.
#pragma once

#include "harness/bench.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <string_view>
#include <thread>
#include <vector>

namespace tcp_workload {

namespace asio = boost::asio;
using asio::ip::tcp;

inline constexpr std::array two_sides{bench::variant{"20_connections", 2}};

inline constexpr std::string_view request = "HEAD / HTTP/1.1\r\nHost: host:port\r\n\r\n";
inline constexpr std::string_view response =
    "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nContent-Type: text/plain\r\n\r\nHello World!";

/// Answers until the other side has gone; returns how often.
template <class Task, class Token>
Task serve(tcp::socket& s, Token token) {
    std::array<char, 4096> bytes;
    for (long served = 0;; ++served) {
        auto [read_error, n] = co_await s.async_read_some(asio::buffer(bytes), token);
        if (read_error || std::string_view(bytes.data(), n) != request) co_return served;
        auto [write_error, w] = co_await asio::async_write(s, asio::buffer(response), token);
        if (write_error || w != response.size()) co_return served;
    }
}

/// Asks `count` times; returns how many answers were right.
template <class Task, class Token>
Task ask(tcp::socket& s, long count, Token token) {
    std::array<char, 4096> bytes;
    long right = 0;
    for (long i = 0; i < count; ++i) {
        auto [write_error, w] = co_await asio::async_write(s, asio::buffer(request), token);
        if (write_error) break;
        auto [read_error, n] = co_await s.async_read_some(asio::buffer(bytes), token);
        if (read_error) break;
        if (std::string_view(bytes.data(), n) == response) ++right;
    }
    s.shutdown(tcp::socket::shutdown_both);
    co_return right;
}

struct connections {
    connections(asio::io_context& server, asio::io_context& client, unsigned count) {
        tcp::acceptor acceptor(server, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        for (unsigned i = 0; i < count; ++i) {
            near.emplace_back(client).connect(acceptor.local_endpoint());
            far.push_back(acceptor.accept());
            near.back().set_option(tcp::no_delay(true));
            far.back().set_option(tcp::no_delay(true));
        }
    }
    std::vector<tcp::socket> near;
    std::vector<tcp::socket> far;
};

/// `run_server(sockets)` and `run_clients(sockets, requests of each)` return the sums of what their coroutines do.
template <class Server, class Clients>
int run(const bench::options& o, asio::io_context& server, asio::io_context& client,
        Server run_server, Clients run_clients) {
    constexpr unsigned count = 20;
    const auto talk = [&](long requests_each) {
        connections c(server, client, count);
        long served = 0;
        std::jthread far_side([&] { served = run_server(c.far); });
        const long right = run_clients(c.near, requests_each);
        far_side.join();
        return served == right ? right : -1;
    };
    const long each = (o.quick ? 10'000 : 100'000) / count;
    return bench::measure(
        each * count, static_cast<double>(each * count), [&] { return talk(each); },
        [&] { talk(10); });
}

}  // namespace tcp_workload
