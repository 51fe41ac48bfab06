// benchmarks/workloads/tcp/asio.cpp - co_spawn on two io_contexts, each run by one thread.
// SPDX-License-Identifier: MIT
#include "tcp.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>

namespace {

namespace t = tcp_workload;
namespace asio = boost::asio;
using sockets = std::vector<t::tcp::socket>;
using task = asio::awaitable<long>;

constexpr auto token = asio::as_tuple(asio::use_awaitable);

/// The sum of what `one(socket)` gives.
template <class One>
long run_all(asio::io_context& context, sockets& s, One one) {
    long sum = 0;
    for (auto& socket : s) {
        asio::co_spawn(context, one(socket), [&](std::exception_ptr, long n) { sum += n; });
    }
    context.restart();
    context.run();
    return sum;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv, t::two_sides);
    asio::io_context server(1);
    asio::io_context client(1);
    const auto serve = [](t::tcp::socket& s) { return t::serve<task>(s, token); };
    return t::run(
        o, server, client, [&](sockets& s) { return run_all(server, s, serve); },
        [&](sockets& s, long count) {
            return run_all(client, s, [count](t::tcp::socket& socket) {
                return t::ask<task>(socket, count, token);
            });
        });
}
