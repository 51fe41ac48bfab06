// benchmarks/workloads/timers/asio.cpp - steady_timer, armed and cancelled by one thread, handlers on the pool.
// SPDX-License-Identifier: MIT
#include "harness/tally.hpp"
#include "timers.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <latch>
#include <vector>

namespace {

namespace asio = boost::asio;

long arm_and_stop(asio::thread_pool& pool, long n) {
    bench::tally stopped;
    std::latch left(n);
    std::vector<asio::steady_timer> timers;
    timers.reserve(static_cast<std::size_t>(n));
    for (long i = 0; i < n; ++i) {
        timers.emplace_back(pool, timers_workload::delay(i));
        timers.back().async_wait([&](boost::system::error_code error) {
            stopped.add(error == asio::error::operation_aborted ? 1 : 0);
            left.count_down();
        });
    }
    for (auto& t : timers) t.cancel();
    left.wait();
    return stopped.sum();
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    asio::thread_pool pool(o.threads);
    return timers_workload::run(o, [&](long n) { return arm_and_stop(pool, n); });
}
