// benchmarks/harness/cache_line.hpp - how long a cache line takes from one processor to another, at the moment.
// SPDX-License-Identifier: MIT
//
// On some virtual machines two processors share a cache now and do not a minute later. Workloads in which threads
// write to the same lines then differ by a factor, whoever runs them: compare only like with like.
#pragma once

namespace bench {

/// Nanoseconds for one way, the least of many tries: others may be using the processors.
double cache_line_ns();

}  // namespace bench
