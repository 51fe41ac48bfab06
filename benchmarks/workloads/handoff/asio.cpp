// benchmarks/workloads/handoff/asio.cpp - two coroutines and two concurrent channels on a thread_pool.
// SPDX-License-Identifier: MIT
#include "handoff.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

namespace {

namespace asio = boost::asio;
using channel = asio::experimental::concurrent_channel<void(boost::system::error_code, long)>;

asio::awaitable<long> player(channel& in, channel& out, long rounds) {
    long number = 0;
    for (long i = 0; i < rounds; ++i) {
        number = co_await in.async_receive(asio::use_awaitable);
        co_await out.async_send({}, number + 1, asio::use_awaitable);
    }
    co_return number;
}

long play(asio::thread_pool& pool, long rounds) {
    channel there(pool, 1);
    channel back(pool, 1);
    auto first = asio::co_spawn(pool, player(there, back, rounds), asio::use_future);
    auto second = asio::co_spawn(pool, player(back, there, rounds), asio::use_future);
    there.try_send(boost::system::error_code(), 0);
    first.get();
    return second.get() + 1;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    asio::thread_pool pool(o.threads);
    return handoff_workload::run(o, [&](long rounds) { return play(pool, rounds); });
}
