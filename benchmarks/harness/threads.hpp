// benchmarks/harness/threads.hpp - threads that no contender knows.
// SPDX-License-Identifier: MIT
#pragma once

#include <thread>
#include <vector>

namespace bench {

/// Calls `f(0)` ... `f(count - 1)`, each on a thread of its own, and returns when all have.
template <class F>
void on_threads(unsigned count, F f) {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < count; ++i) threads.emplace_back(f, i);
}

}  // namespace bench
