// executor/src/injection_queue.hpp - jobs handed in from outside the workers, first in, first out.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/atomic.hpp>
#include <taskscope/detail/job.hpp>
#include <taskscope/detail/pause.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <thread>
#include <utility>

namespace taskscope::detail {

/// Intrusive, so that handing in never allocates and never fails. Whoever hands in puts a job on a stack, without a lock.
/// Takers, of several jobs at a time, have a list, the oldest one first, and turn the stack over when that is empty.
class injection_queue {
public:
    void push(job& j) noexcept {
        j.next = stack_.load(std::memory_order_relaxed);
        // edge inject.take, release half (acquire half: the exchange in turn_over()): the job and its link.
        while (!stack_.compare_exchange_weak(j.next, &j, std::memory_order_release,
                                             std::memory_order_relaxed)) {
        }
    }

    /// Whoever has pushed a job says that it will not touch the executor any more. The job, and with it what the owner of
    /// the executor waited for, may long be done by then.
    void leave() noexcept {
        // edge inject.leave, release half (acquire half: the load in wait_for_pushers()).
        left_.fetch_add(1, std::memory_order_release);  // After this line *this may be gone.
    }

    /// For the destructor of the executor, when all jobs were taken: waits until nobody is between push() and leave().
    void wait_for_pushers() const noexcept {
        // edge inject.leave, acquire half (release half: the addition in leave()): they are out.
        while (left_.load(std::memory_order_acquire) != taken_.load(std::memory_order_relaxed))
            std::this_thread::yield();
    }

    /// Takes as many jobs as `into` has room for and no more than 1 / `takers` of them, but one at least; the oldest first.
    /// Returns how many.
    std::size_t pop(std::span<job*> into, std::size_t takers) noexcept {
        if (looks_empty()) return 0;
        const std::unique_lock lock = patiently(mutex_);
        return take(into, takers);
    }

    /// The same for who has something else to do; 0 also while somebody else is at it, which may take long.
    std::size_t try_pop(std::span<job*> into, std::size_t takers) noexcept {
        if (looks_empty()) return 0;
        const std::unique_lock lock{mutex_, std::try_to_lock};
        return lock.owns_lock() ? take(into, takers) : 0;
    }

    /// Any thread. A hint, except behind a heavy_barrier().
    bool looks_empty() const noexcept {
        // edge inject.turn, acquire half (release half: the exchange in turn_over()).
        return stack_.load(std::memory_order_acquire) == nullptr &&
               size_.load(std::memory_order_relaxed) == 0;
    }
    /// How many were handed in.
    std::uint64_t pushed() const noexcept { return left_.load(std::memory_order_relaxed); }

private:
    std::size_t take(std::span<job*> into, std::size_t takers) noexcept {
        if (first_ == nullptr) turn_over();
        if (first_ == nullptr) return 0;
        const std::size_t size = size_.load(std::memory_order_relaxed);
        const std::size_t wanted = std::clamp<std::size_t>(size / takers, 1, into.size());
        for (std::size_t n = 0; n < wanted; ++n) into[n] = std::exchange(first_, first_->next);
        size_.store(size - wanted, std::memory_order_relaxed);
        taken_.store(taken_.load(std::memory_order_relaxed) + wanted, std::memory_order_relaxed);
        return wanted;
    }

    // What is on the stack becomes the list, which is empty.
    void turn_over() noexcept {
        if (stack_.load(std::memory_order_relaxed) == nullptr) return;
        size_.store(1, std::memory_order_relaxed);  // some, until they are counted
        // edge inject.take, acquire half (release half: the compare-exchange in push()): the jobs. edge inject.turn,
        // release half (acquire half: the load in looks_empty()): who sees the stack empty sees a size.
        job* j = stack_.exchange(nullptr, std::memory_order_acq_rel);
        std::size_t n = 0;
        for (; j != nullptr; ++n) j = std::exchange(j->next, std::exchange(first_, j));
        size_.store(n, std::memory_order_relaxed);
    }

    // Takers'.
    std::mutex mutex_;  // guards the list; size_ and taken_ are written under it
    job* first_ = nullptr;
    atomic<std::size_t> size_{0};
    atomic<std::uint64_t> taken_{0};

    // Of whoever hands in.
    alignas(cache_line_pair) atomic<job*> stack_{nullptr};  // youngest first
    alignas(cache_line_pair) atomic<std::uint64_t> left_{0};
};

}  // namespace taskscope::detail
