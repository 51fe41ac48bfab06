// benchmarks/harness/cache_line.cpp - two threads throw a number back and forth.
// SPDX-License-Identifier: MIT
#include "cache_line.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <thread>

namespace bench {
namespace {

constexpr unsigned tries = 50;
constexpr unsigned exchanges = 400;

// Relaxed throughout: nothing but the number itself is handed over.

void wait_for(const std::atomic<unsigned>& ball, unsigned i) {
    for (unsigned looks = 1; ball.load(std::memory_order_relaxed) != i; ++looks) {
        if (looks % 4096 == 0)
            std::this_thread::yield();  // they may have one processor between them
    }
}

void return_the_ball(std::atomic<unsigned>& ball) {
    for (unsigned i = 1; i < 2 * tries * exchanges; i += 2) {
        wait_for(ball, i);
        ball.store(i + 1, std::memory_order_relaxed);
    }
}

}  // namespace

double cache_line_ns() {
    using clock = std::chrono::steady_clock;
    alignas(64) std::atomic<unsigned> ball{0};
    std::thread partner(return_the_ball, std::ref(ball));
    double least = std::numeric_limits<double>::max();
    unsigned i = 0;
    for (unsigned t = 0; t < tries; ++t) {
        const auto start = clock::now();
        for (unsigned e = 0; e < exchanges; ++e, i += 2) {
            ball.store(i + 1, std::memory_order_relaxed);
            wait_for(ball, i + 2);
        }
        const std::chrono::duration<double, std::nano> taken = clock::now() - start;
        least = std::min(least, taken.count() / (2 * exchanges));
    }
    partner.join();
    return least;
}

}  // namespace bench
