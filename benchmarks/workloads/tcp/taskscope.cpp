// benchmarks/workloads/tcp/taskscope.cpp - two executors of one worker each, and their I/O contexts.
// SPDX-License-Identifier: MIT
#include "tcp.hpp"

#include <taskscope/net/io.hpp>
#include <taskscope/net/use_task.hpp>
#include <taskscope/taskscope.hpp>

#include <numeric>

namespace {

namespace ts = taskscope;
namespace t = tcp_workload;
using sockets = std::vector<t::tcp::socket>;

/// The sum of what `one(socket)` gives.
template <class One>
ts::task<long> all_of(sockets& s, One one) {
    std::vector<ts::task<long>> tasks;
    for (auto& socket : s) tasks.push_back(one(socket));
    const auto sums = co_await ts::fork_join(std::move(tasks));
    co_return std::accumulate(sums.begin(), sums.end(), 0L);
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv, t::two_sides);
    ts::executor server{{.workers = 1}};
    ts::executor client{{.workers = 1}};
    const auto serve = [](t::tcp::socket& s) {
        return t::serve<ts::task<long>>(s, ts::net::use_task);
    };
    return t::run(
        o, ts::net::context(server), ts::net::context(client),
        [&](sockets& s) { return server.run(all_of(s, serve)); },
        [&](sockets& s, long count) {
            const auto ask = [count](t::tcp::socket& socket) {
                return t::ask<ts::task<long>>(socket, count, ts::net::use_task);
            };
            return client.run(all_of(s, ask));
        });
}
