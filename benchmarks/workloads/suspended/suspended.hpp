// benchmarks/workloads/suspended/suspended.hpp - a million suspended children: what one takes, and stopping them all.
// SPDX-License-Identifier: MIT
//
// Timed is the stop until all have been joined. No warm-up: it would leave memory behind.
#pragma once

#include "harness/bench.hpp"

#include <cstdint>

namespace suspended_workload {

/// `children.spawn(n)` returns when all are suspended; `children.stop()` when all are gone, with how many came back
/// stopped.
template <class Children>
int run(const bench::options& o, Children& children) {
    const long n = o.quick ? 100'000 : 1'000'000;
    const auto count = static_cast<double>(n);
    const long before = bench::rss_kib();
    const bench::stopwatch spawning;
    children.spawn(n);
    const double spawn_ns = 1e9 * spawning.seconds() / count;
    const double bytes = 1024.0 * static_cast<double>(bench::rss_kib() - before) / count;
    const bench::stopwatch stopping;
    const long stopped = children.stop();
    const double seconds = stopping.seconds();
    return bench::report({seconds, stopping.cpu(), count, stopped == n},
                         {{"bytes_each", bytes}, {"spawn_ns", spawn_ns}});
}

}  // namespace suspended_workload
