// executor/src/injection_queue.hpp - jobs handed in from outside the workers, first in, first out.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/atomic.hpp>
#include <taskscope/detail/job.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

namespace taskscope::detail {

/// Intrusive, so that handing in never allocates and never fails. Whoever hands in one puts it on a stack, without a lock.
/// Takers, of several jobs at a time, have a list, the oldest one first, and turn the stack over when that is empty. So
/// does who hands in many: for them a lock costs little, and the way along all of them a second time much.
class injection_queue {
public:
    void push(job& j) noexcept {
        pushed_.fetch_add(1, std::memory_order_relaxed);  // before anybody can have it
        j.next = stack_.load(std::memory_order_relaxed);
        // edge inject.take, release half (acquire half: the exchange in turn_over()): the job and its link.
        while (!stack_.compare_exchange_weak(j.next, &j, std::memory_order_release,
                                             std::memory_order_relaxed)) {
        }
    }

    /// The same for `n` jobs at once, linked by next from the oldest to the youngest.
    void push(job& oldest, job& youngest, std::size_t n) noexcept {
        youngest.next = nullptr;
        const std::lock_guard lock{mutex_};
        pushed_.fetch_add(n, std::memory_order_relaxed);
        turn_over();
        append(oldest, youngest, n);
    }

    /// Whoever has pushed `n` jobs says that it will not touch the executor any more. The jobs, and with them what the
    /// owner of the executor waited for, may long be done by then.
    void leave(std::size_t n) noexcept {
        // edge inject.leave, release half (acquire half: the load in wait_for_pushers()).
        left_.fetch_add(n, std::memory_order_release);  // After this line *this may be gone.
    }

    /// For the destructor of the executor: waits until nobody is between push() and leave().
    void wait_for_pushers() const noexcept {
        // edge inject.leave, acquire half (release half: the addition in leave()): they are out.
        while (left_.load(std::memory_order_acquire) != pushed()) std::this_thread::yield();
    }

    /// Up to `most` jobs and no more than 1 / `takers` of them, but one at least; oldest first, linked by next. nullptr
    /// if there are none.
    job* pop(std::size_t takers, std::size_t most) noexcept {
        if (looks_empty()) return nullptr;
        const std::lock_guard lock{mutex_};
        return take(takers, most);
    }

    /// The same for who has something else to do; nullptr also while somebody else is at it, which may take long.
    job* try_pop(std::size_t takers, std::size_t most) noexcept {
        if (looks_empty()) return nullptr;
        const std::unique_lock lock{mutex_, std::try_to_lock};
        return lock.owns_lock() ? take(takers, most) : nullptr;
    }

    /// Any thread. A hint, except behind a heavy_barrier().
    bool looks_empty() const noexcept {
        // edge inject.turn, acquire half (release half: the exchange in turn_over()).
        return stack_.load(std::memory_order_acquire) == nullptr &&
               size_.load(std::memory_order_relaxed) == 0;
    }
    std::uint64_t pushed() const noexcept { return pushed_.load(std::memory_order_relaxed); }

private:
    job* take(std::size_t takers, std::size_t most) noexcept {
        if (first_ == nullptr) turn_over();
        job* const chain = first_;
        if (chain == nullptr) return nullptr;
        const std::size_t size = size_.load(std::memory_order_relaxed);
        const std::size_t wanted = std::clamp<std::size_t>(size / takers, 1, most);
        job* last = chain;
        for (std::size_t n = 1; n < wanted; ++n) last = last->next;
        first_ = std::exchange(last->next, nullptr);
        size_.store(size - wanted, std::memory_order_relaxed);
        return chain;
    }

    // What is on the stack becomes the end of the list.
    void turn_over() noexcept {
        if (stack_.load(std::memory_order_relaxed) == nullptr) return;
        // Some, until they are counted.
        if (first_ == nullptr) size_.store(1, std::memory_order_relaxed);
        // edge inject.take, acquire half (release half: the compare-exchange in push()): the jobs. edge inject.turn,
        // release half (acquire half: the load in looks_empty()): who sees the stack empty sees a size.
        job* const youngest = stack_.exchange(nullptr, std::memory_order_acq_rel);
        job* oldest = nullptr;
        std::size_t n = 0;
        for (job* j = youngest; j != nullptr; ++n)
            j = std::exchange(j->next, std::exchange(oldest, j));
        append(*oldest, *youngest, n);
    }

    void append(job& oldest, job& youngest, std::size_t n) noexcept {
        const std::size_t before = first_ != nullptr ? size_.load(std::memory_order_relaxed) : 0;
        (first_ != nullptr ? last_->next : first_) = &oldest;
        last_ = &youngest;
        size_.store(before + n, std::memory_order_relaxed);
    }

    // Takers'.
    std::mutex mutex_;  // guards the list; size_ is written under it
    job* first_ = nullptr;
    job* last_ = nullptr;  // if there is a first
    atomic<std::size_t> size_{0};

    // Of whoever hands in.
    alignas(cache_line_pair) atomic<job*> stack_{nullptr};  // youngest first
    alignas(cache_line_pair) atomic<std::uint64_t> pushed_{0};
    atomic<std::uint64_t> left_{0};
};

}  // namespace taskscope::detail
