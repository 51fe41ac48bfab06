// benchmarks/workloads/spawn/asio.cpp - Boost.Asio: post to a thread_pool, and a latch.
// SPDX-License-Identifier: MIT
#include "harness/threads.hpp"
#include "spawn.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <latch>

namespace {

namespace asio = boost::asio;

void spawn(asio::thread_pool& pool, bool foreign, unsigned producers, long each,
           bench::tally& sum) {
    std::latch all((each + 1) * producers);  // children and producers, which read what is ours
    const auto produce = [&] {
        for (long i = 0; i < each; ++i) {
            asio::post(pool, [&] {
                sum.add(1);
                all.count_down();
            });
        }
        all.count_down();
    };
    if (foreign) {
        bench::on_threads(producers, [&](unsigned) { produce(); });
    } else {
        for (unsigned p = 0; p < producers; ++p) asio::post(pool, produce);
    }
    all.wait();
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv, spawn_workload::all_shapes);
    asio::thread_pool pool(o.threads);
    return spawn_workload::run(o,
                               [&](bool foreign, unsigned producers, long each, bench::tally& sum) {
                                   spawn(pool, foreign, producers, each, sum);
                               });
}
