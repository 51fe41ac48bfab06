// benchmarks/workloads/idle/asio.cpp - a thread_pool between two posts.
// SPDX-License-Identifier: MIT
#include "idle.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    boost::asio::thread_pool pool(o.threads);
    const auto yes = [] { return true; };
    return idle_workload::run(
        o, [&] { return boost::asio::post(pool, boost::asio::use_future(yes)).get(); });
}
