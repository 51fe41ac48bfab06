// executor/src/injection_queue.hpp - jobs handed in from outside the workers, first in, first out.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/atomic.hpp>
#include <taskscope/detail/job.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>

namespace taskscope::detail {

/// Intrusive, so that handing in never allocates and never fails. A short lock: whoever hands in is outside
/// the hot path, and takers take several jobs at a time.
class injection_queue {
public:
    void push(job& j) noexcept {
        j.next = nullptr;
        const std::lock_guard lock{mutex_};
        (last_ != nullptr ? last_->next : first_) = &j;
        last_ = &j;
        size_.store(size_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        pushed_.store(pushed_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    /// Whoever has pushed says that it will not touch the executor any more. The job, and with it what the owner
    /// of the executor waited for, may long be done by then.
    void leave() noexcept {
        // edge inject.leave, release half (acquire half: the load in wait_for_pushers()).
        left_.fetch_add(1, std::memory_order_release);  // After this line *this may be gone.
    }

    /// For the destructor of the executor: waits until nobody is between push() and leave().
    void wait_for_pushers() const noexcept {
        // edge inject.leave, acquire half (release half: the addition in leave()): they are out.
        while (left_.load(std::memory_order_acquire) != pushed()) std::this_thread::yield();
    }

    /// Up to `n` jobs, oldest first, linked by next; nullptr if there are none.
    job* pop(std::size_t n) noexcept {
        if (looks_empty()) return nullptr;
        const std::lock_guard lock{mutex_};
        job* const chain = first_;
        if (chain == nullptr) return nullptr;
        job* last = chain;
        std::size_t taken = 1;
        for (; taken < n && last->next != nullptr; ++taken) last = last->next;
        first_ = last->next;
        if (first_ == nullptr) last_ = nullptr;
        last->next = nullptr;
        size_.store(size_.load(std::memory_order_relaxed) - taken, std::memory_order_relaxed);
        return chain;
    }

    /// Any thread. A hint, except behind a heavy_barrier().
    bool looks_empty() const noexcept { return size() == 0; }
    std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
    std::uint64_t pushed() const noexcept { return pushed_.load(std::memory_order_relaxed); }

private:
    std::mutex mutex_;  // guards the list; the counters are written under it
    job* first_ = nullptr;
    job* last_ = nullptr;
    atomic<std::size_t> size_{0};
    atomic<std::uint64_t> pushed_{0};
    atomic<std::uint64_t> left_{0};
};

}  // namespace taskscope::detail
