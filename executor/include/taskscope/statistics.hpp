// <taskscope/statistics.hpp> - what an executor counts.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace taskscope {

/// Sums over all workers, since the executor was made. Read while workers run, each figure is right for
/// some moment of its own.
struct statistics {
    std::uint32_t workers = 0;
    std::uint32_t sleeping = 0;  ///< workers asleep now
    std::uint64_t jobs = 0;      ///< taken from a queue and run
    std::uint64_t steals = 0;  ///< taken from another worker's deque; a job that moves twice, twice
    std::uint64_t injected =
        0;  ///< of the jobs, handed in from outside the workers, by threads that have returned from it
    std::uint64_t bounces =
        0;                     ///< transfers between coroutines that went through the worker's loop
    std::uint64_t sleeps = 0;  ///< times a worker fell asleep
    std::uint64_t wakes = 0;   ///< times somebody woke one
    std::uint64_t timers = 0;  ///< armed now
    std::uint32_t blocking_threads = 0;  ///< of run_blocking(), alive now
};

}  // namespace taskscope
