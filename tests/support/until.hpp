// tests/support/until.hpp - waiting for another thread, and threads that start together.
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace support {

/// Gives the processor away until `condition()` holds. False if it has not come true for so long that it
/// never will.
template <class Condition>
[[nodiscard]] bool until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::yield();
    }
    return true;
}

/// Threads that are joined at the end.
class threads {
public:
    threads() = default;
    threads(const threads&) = delete;
    threads& operator=(const threads&) = delete;
    ~threads() { join(); }

    /// From any thread.
    template <class F>
    void start(F f) {
        const std::lock_guard lock{mutex_};
        all_.emplace_back(std::move(f));
    }
    void join() {
        for (std::thread& t : all_) t.join();
        all_.clear();
    }

private:
    std::mutex mutex_;
    std::vector<std::thread> all_;
};

/// Two sides that run the same round at the same time, again and again.
class rendezvous {
public:
    explicit rendezvous(unsigned sides) : sides_(sides) {}

    void meet() {
        const unsigned round = round_.load(std::memory_order_acquire);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == sides_) {
            arrived_.store(0, std::memory_order_relaxed);
            round_.store(round + 1, std::memory_order_release);
            return;
        }
        for (int spins = 0; round_.load(std::memory_order_acquire) == round; ++spins) {
            if (spins > 200) std::this_thread::yield();
        }
    }

private:
    const unsigned sides_;
    std::atomic<unsigned> arrived_{0};
    std::atomic<unsigned> round_{0};
};

}  // namespace support
