// benchmarks/workloads/spawn/taskscope.hpp - all shapes, for contenders that differ in what they spawn.
// SPDX-License-Identifier: MIT
#pragma once

#include "harness/threads.hpp"
#include "spawn.hpp"

#include <taskscope/taskscope.hpp>

namespace spawn_workload {

/// `spawn_children(scope, n, tally)` spawns `n` children.
template <class SpawnChildren>
int run_on_scopes(int argc, char** argv, SpawnChildren spawn_children) {
    namespace ts = taskscope;
    const bench::options o = bench::parse(argc, argv, all_shapes);
    ts::executor ex{{.workers = o.threads}};
    return run(o, [&](bool foreign, unsigned producers, long each, bench::tally& sum) {
        ts::task_scope s{ex};
        if (foreign) {
            bench::on_threads(producers, [&](unsigned) { spawn_children(s, each, sum); });
        } else {
            for (unsigned p = 0; p < producers; ++p) s.spawn([&] { spawn_children(s, each, sum); });
        }
        s.blocking_join();
    });
}

}  // namespace spawn_workload
