// benchmarks/workloads/channel/asio.cpp - experimental::concurrent_channel on a thread_pool.
// SPDX-License-Identifier: MIT
#include "channel.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <vector>

namespace {

namespace asio = boost::asio;
using numbers = asio::experimental::concurrent_channel<void(boost::system::error_code, long)>;

constexpr auto token = asio::as_tuple(asio::use_awaitable);

asio::awaitable<void> send(numbers& c, long first, long count) {
    for (long i = first; i < first + count; ++i) {
        co_await c.async_send(boost::system::error_code(), i, token);
    }
}

asio::awaitable<long> receive(numbers& c) {
    for (long sum = 0;;) {
        auto [closed, n] = co_await c.async_receive(token);
        if (closed) co_return sum;
        sum += n;
    }
}

long pass(asio::thread_pool& pool, long each) {
    numbers c(pool, channel_workload::room);
    std::vector<std::future<void>> sent;
    std::vector<std::future<long>> received;
    for (long s = 0; s < channel_workload::senders; ++s) {
        sent.push_back(asio::co_spawn(pool, send(c, s * each, each), asio::use_future));
        received.push_back(asio::co_spawn(pool, receive(c), asio::use_future));
    }
    for (auto& s : sent) s.get();
    c.close();  // what was sent is still received
    long sum = 0;
    for (auto& r : received) sum += r.get();
    return sum;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    asio::thread_pool pool(o.threads);
    return channel_workload::run(o, [&](long each) { return pass(pool, each); });
}
