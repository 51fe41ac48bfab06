// benchmarks/workloads/fib/fib.hpp - fib(n) by its definition, a task per call and no work in it: pure overhead.
// SPDX-License-Identifier: MIT
#pragma once

#include "harness/bench.hpp"

namespace fib_workload {

inline unsigned n(const bench::options& o) { return o.quick ? 30 : 39; }

inline constexpr long fib(unsigned k) {
    long a = 0;
    long b = 1;
    for (unsigned i = 0; i < k; ++i) {
        const long next = a + b;
        a = b;
        b = next;
    }
    return a;
}

/// How often the recursive definition calls itself.
inline double calls(unsigned k) { return 2.0 * static_cast<double>(fib(k + 1)) - 1.0; }

template <class F>
int run(const bench::options& o, F f) {
    const unsigned k = n(o);
    return bench::measure(fib(k), calls(k), [&] { return f(k); }, [&] { f(20); });
}

}  // namespace fib_workload
