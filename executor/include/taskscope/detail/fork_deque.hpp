// <taskscope/detail/fork_deque.hpp> - for branches and parts, which their owner nearly always takes back.
// SPDX-License-Identifier: MIT
//
// What it is, its invariants and their sources: deque_base.hpp. Thefts are rare, so thieves pay for the full barrier
// between an owner's pop and a theft, by a heavy_barrier() between their looks at top and at bottom: some us for each,
// and each running thread of the process is interrupted. Jobs are stolen one by one.
// (docs/decisions/0012-forks-in-a-deque-of-their-own.md)
#pragma once

#include <taskscope/detail/barrier.hpp>
#include <taskscope/detail/deque_base.hpp>

#include <algorithm>
#include <limits>

namespace taskscope::detail {

class fork_deque : public deque_base<fork_deque> {
public:
    /// Allocates the first ring. Throws std::bad_alloc.
    /// `most`: slots of the greatest one. `origin`: where the indices start.
    explicit fork_deque(std::int64_t capacity = initial_capacity, std::int64_t most = max_capacity,
                        std::int64_t origin = first_count<std::int64_t>())
        : deque_base(capacity, most, origin),
          doubt_(barriers_are_asymmetric.load(std::memory_order_relaxed)
                     ? 0
                     : std::max(capacity, most)),
          top_(origin) {}

    /// Owner only. push() for `n` jobs, so that jobs[0] is the youngest. False, and nothing is pushed, if there is no
    /// room for all without another look at the thieves' end.
    template <class J>
    [[gnu::always_inline]] bool push_reversed(J* const* jobs, std::uint32_t n) noexcept {
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
        if (full_at_ - bottom < n) [[unlikely]]
            return false;
        for (std::uint32_t i = 0; i < n; ++i)
            own_slot(bottom + i).store(jobs[n - 1 - i], std::memory_order_relaxed);
        // edge deque.publish, release half, as in push().
        bottom_.store(bottom + n, std::memory_order_release);
        return true;
    }

    /// Owner only. The youngest job, or nullptr.
    job* pop() noexcept {
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed) - 1;
        // relaxed: nobody but the owner adds jobs, so a top that has reached ours says empty for good.
        if (top_.load(std::memory_order_relaxed) > bottom) return nullptr;
        if (!lower_bottom(bottom) && !take_contested()) return nullptr;
        return own_slot(bottom).load(std::memory_order_relaxed);
    }

    /// Owner only. Takes `expected` out if it is the youngest job, and says whether it did. Costs no
    /// barrier when another job, or none, lies there.
    bool pop_if(const job* expected) noexcept {
        const popped p = try_pop_if(expected);
        return p == popped::yes || (p == popped::perhaps && take_contested());
    }

    enum class popped : unsigned char { no, perhaps, yes };

    /// The same in two parts: if a thief might want the job, take_contested() says who has it.
    [[gnu::always_inline]] popped try_pop_if(const job* expected) noexcept {
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed) - 1;
        // A slot that was stolen keeps its pointer; what follows finds out.
        if (own_slot(bottom).load(std::memory_order_relaxed) != expected) [[unlikely]]
            return popped::no;
        if (lower_bottom(bottom)) [[likely]]
            return popped::yes;
        return popped::perhaps;
    }

    /// Owner only, after a pop that may have reached the thieves' end: whether the owner has the job.
    [[gnu::noinline]] bool take_contested() noexcept {
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
        // edge deque.last, owner's half where barriers are symmetric.
        if (doubt_ != 0) full_fence();
        std::int64_t top =
            top_.load(std::memory_order_relaxed);  // lower_bottom() saw it or an older
        if (top < bottom) return true;
        // edge deque.last: whoever raises top has the job.
        const bool ours =
            top == bottom && top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst,
                                                          std::memory_order_relaxed);
        bottom_.store(bottom + 1, std::memory_order_relaxed);  // empty again; publishes nothing
        return ours;
    }

    /// Any thread. The oldest job, or nullptr when there is none or another thread was faster.
    job* steal() noexcept { return steal_from(std::numeric_limits<std::int64_t>::min()); }

    /// The same, but nothing that was pushed when bottom() was less than `base`.
    job* steal_from(std::int64_t base) noexcept {
        std::int64_t top = top_.load(std::memory_order_relaxed);  // ordered by the barrier
        if (top < base || top >= bottom_.load(std::memory_order_relaxed)) return nullptr;
        // edge deque.last, thief's half: an owner that has read an older top than ours has done so before this
        // barrier, and has lowered bottom before that: we see it below.
        heavy_barrier();
        // edge deque.publish, acquire half.
        const std::int64_t bottom = bottom_.load(std::memory_order_acquire);
        if (top >= bottom) return nullptr;
        job* const j = stolen_from().slot(top).load(
            std::memory_order_relaxed);  // may be stale: then the next line fails
        // edge deque.last: the seq_cst compare-exchange decides who has the job. edge deque.reuse, release
        // half (acquire half: the load in top_after_thefts()): our read of the slot is over.
        const bool ours = top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst,
                                                       std::memory_order_relaxed);
        return ours ? j : nullptr;
    }

    /// Owner only. The index of the next job it pushes.
    std::int64_t bottom() const noexcept { return bottom_.load(std::memory_order_relaxed); }

    /// Any thread. Whether there seemed to be no job. A hint, except behind a heavy_barrier(): then a
    /// push that came before the barrier is seen.
    bool looks_empty() const noexcept {
        // relaxed: a hint. Who acts on it calls steal() next.
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
        return top_.load(std::memory_order_relaxed) >= bottom;
    }

    /// Any thread. About how many jobs there are.
    std::size_t approximate_size() const noexcept {
        const std::int64_t n =
            bottom_.load(std::memory_order_relaxed) - top_.load(std::memory_order_relaxed);
        return n > 0 ? static_cast<std::size_t>(n) : 0;
    }

private:
    friend deque_base<fork_deque>;

    // Whether the owner has the slot at `bottom` without a contest; take_contested() otherwise.
    [[gnu::always_inline]] bool lower_bottom(std::int64_t bottom) noexcept {
        // edge deque.publish, release half: a thief that sees this bottom instead of that of the push still sees
        // what was pushed below it.
        bottom_.store(bottom, std::memory_order_release);
        // edge deque.last, owner's half: claim the slot, then look at top.
        compiler_barrier();  // where that is not enough, `doubt_` says so
        return top_.load(std::memory_order_relaxed) + doubt_ < bottom;
    }

    std::int64_t top_after_thefts() const noexcept {
        // edge deque.reuse, acquire half (release half: the compare-exchange in steal_from()). Seeing a
        // thief's new top means its read of that slot is over, so the slot may be written again.
        return top_.load(std::memory_order_acquire);
    }

    const std::int64_t doubt_;  ///< 0; where barriers are symmetric more than there can be jobs
    alignas(cache_line_pair) atomic<std::int64_t> top_;
};

}  // namespace taskscope::detail
