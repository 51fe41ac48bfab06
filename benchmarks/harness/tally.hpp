// benchmarks/harness/tally.hpp - counts what many threads do without a line they all write to.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

namespace bench {

/// Each thread counts in a place of its own. At most 64 threads of a program may ever count.
class tally {
public:
    void add(long n) noexcept {
        // relaxed: only its own thread writes it; sum() is called after the join, which orders everything.
        std::atomic<long>& mine = places_.at(place()).sum;
        mine.store(mine.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    long sum() const noexcept {
        long all = 0;
        for (const part& p : places_) all += p.sum.load(std::memory_order_relaxed);
        return all;
    }

private:
    struct alignas(64) part {
        std::atomic<long> sum{0};
    };

    static std::size_t place() noexcept {
        static std::atomic<std::size_t> threads{0};
        thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed);
        return mine;
    }

    std::array<part, 64> places_;
};

}  // namespace bench
