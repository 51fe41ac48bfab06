// benchmarks/workloads/wake/wake.cpp - the clocks, and the thread that sleeps in a futex.
// SPDX-License-Identifier: MIT
#include "wake.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace wake_workload {
namespace {

using clock = std::chrono::steady_clock;

/// When the one that was woken came to run. Waits without sleeping: the waker must not need a wake itself.
class arrival {
public:
    void mark() noexcept {
        at_ = clock::now();
        done_.store(true, std::memory_order_release);
    }
    clock::time_point wait() noexcept {
        while (!done_.load(std::memory_order_acquire)) {
        }
        done_.store(false, std::memory_order_relaxed);
        return at_;
    }

private:
    clock::time_point at_;
    std::atomic<bool> done_{false};
};

class futex_sleeper {
public:
    ~futex_sleeper() {
        wake(stop);
        thread_.join();
    }
    void wake_and_mark() { wake(go); }
    arrival& woken() { return woken_; }

private:
    enum : std::uint32_t { asleep, go, stop };

    void wake(std::uint32_t word) {
        word_.store(word, std::memory_order_release);
        syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    }
    void sleep() {
        for (;;) {
            std::uint32_t word = asleep;
            while ((word = word_.load(std::memory_order_acquire)) == asleep) {
                syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, asleep, nullptr, nullptr, 0);
            }
            if (word == stop) return;
            word_.store(
                asleep,
                std::memory_order_relaxed);  // before the mark: the next wake comes after it
            woken_.mark();
        }
    }

    std::atomic<std::uint32_t> word_{asleep};
    arrival woken_;
    std::thread thread_{[this] { sleep(); }};
};

template <class Wake>
double one_wake(arrival& woken, Wake wake) {
    std::this_thread::sleep_for(
        std::chrono::milliseconds(1));  // whoever spins has given up by then
    const auto start = clock::now();
    wake();
    return std::chrono::duration<double>(woken.wait() - start).count();
}

double quantile(std::vector<double>& sorted, double q) {
    return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

/// `p50` or `p99`, of the pool and of the futex.
int report(const char* part, double q, std::vector<double>& pool, std::vector<double>& futex,
           double cpu) {
    std::sort(pool.begin(), pool.end());
    std::sort(futex.begin(), futex.end());
    const double of_pool = quantile(pool, q);
    const double of_futex = quantile(futex, q);
    return bench::report({of_pool, cpu, 1, true, part}, {{"times_futex", of_pool / of_futex}}) +
           bench::report({of_futex, cpu, 1, true, part, "futex"});
}

}  // namespace

int run(const bench::options& o, const submit& hand_in) {
    const int wakes = o.quick ? 200 : 2000;
    const bench::stopwatch watch;
    futex_sleeper bare;
    arrival woken;
    const auto mark = [](void* a) { static_cast<arrival*>(a)->mark(); };
    std::vector<double> pool;
    std::vector<double> futex;
    for (int i = 0; i < wakes; ++i) {
        pool.push_back(one_wake(woken, [&] { hand_in(mark, &woken); }));
        futex.push_back(one_wake(bare.woken(), [&] { bare.wake_and_mark(); }));
    }
    const double cpu = watch.cpu() / wakes;  // of both, for a wake of each
    return report("p50", 0.5, pool, futex, cpu) + report("p99", 0.99, pool, futex, cpu);
}

}  // namespace wake_workload
