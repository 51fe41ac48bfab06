// benchmarks/workloads/wake/asio.cpp - post to a thread_pool.
// SPDX-License-Identifier: MIT
#include "wake.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    boost::asio::thread_pool pool(o.threads);
    return wake_workload::run(
        o, [&](void (*f)(void*), void* a) { boost::asio::post(pool, [=] { f(a); }); });
}
