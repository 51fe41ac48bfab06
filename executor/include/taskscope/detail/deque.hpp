// <taskscope/detail/deque.hpp> - the jobs a worker has made ready, of which every other worker may steal several at once.
// SPDX-License-Identifier: MIT
//
// What it is, its invariants and their sources: deque_base.hpp. Thefts are frequent, so the owner pays for the full
// barrier, and a thief takes up to half of what there is: each theft moves some five cache lines, which is more than
// most jobs take.
//
// Who has a job
//   A thief takes at most `most_stolen` jobs. So an owner that lowers bottom, and then sees a top that lies farther below,
//   has what it took: bottom is lowered by a sequentially consistent exchange and read, like top, by seq_cst loads, which
//   on x86 costs the same as a fence and is understood by ThreadSanitizer.
//   With fewer jobs left it also changes the number that thieves compare, and so makes each of them look at bottom again
//   that has looked at it before. For that the number is not top alone: top is its lower 20 bits, enough for as many jobs as
//   there can be, and an owner adds 2^20. It only grows, and comes back to a value after 2^44 pops: a thief would have to
//   be asleep for days, between two instructions, at the right moment.
//   (docs/decisions/0014-thieves-take-several.md)
#pragma once

#include <taskscope/detail/deque_base.hpp>

#include <algorithm>
#include <span>

namespace taskscope::detail {

class deque : public deque_base<deque> {
public:
    /// So many jobs a thief takes at most. Half and twice as many were no faster (docs/decisions/0014).
    static constexpr std::int64_t most_stolen = shrinkable<std::int64_t>(16, 2);

    /// Allocates the first ring. Throws std::bad_alloc.
    /// `most`: slots of the greatest one, no more than max_capacity. `origin`: where the indices start.
    explicit deque(std::int64_t capacity = initial_capacity, std::int64_t most = max_capacity,
                   std::int64_t origin = first_count<std::int64_t>())
        : deque_base(capacity, most, origin),
          top_(static_cast<std::uint64_t>(origin) % other_version) {}

    /// Owner only. The youngest job, or nullptr.
    job* pop() noexcept {
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
        // relaxed: nobody but the owner adds jobs, so a top that has reached ours says empty for good.
        const std::int64_t size = distance(top_.load(std::memory_order_relaxed), bottom);
        if (size <= 0) return nullptr;
        const bool ours =
            (size > most_stolen && lower_bottom(bottom - 1)) || take_contested(bottom - 1);
        return ours ? own_slot(bottom - 1).load(std::memory_order_relaxed) : nullptr;
    }

    /// Owner only. The `n` youngest jobs, the oldest of them first. False, and nothing is taken, if a thief might want one
    /// of them.
    bool pop_many(job** jobs, std::int64_t n) noexcept {
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed) - n;
        if (distance(top_.load(std::memory_order_relaxed), bottom) < most_stolen) return false;
        if (!lower_bottom(bottom)) {
            // edge deque.publish, release half, as in push().
            bottom_.store(bottom + n, std::memory_order_release);
            return false;
        }
        for (std::int64_t i = 0; i < n; ++i)
            jobs[i] = own_slot(bottom + i).load(std::memory_order_relaxed);
        return true;
    }

    /// Any thread. The oldest jobs, up to half of them, as many as `into` has room for and no more than `most_stolen`: the
    /// oldest first. Returns how many: 0 when there are none or another thread was faster. The rest of `into` is then
    /// anything.
    std::size_t steal(std::span<job*> into) noexcept {
        // edge deque.last, thief's half: top is read before bottom in the single order of seq_cst
        // operations, so that owner and thief cannot both miss that the other took a job.
        std::uint64_t top = top_.load(std::memory_order_seq_cst);
        // edge deque.publish, acquire half; edge deque.last: see above.
        const std::int64_t bottom = bottom_.load(std::memory_order_seq_cst);
        const std::int64_t size = distance(top, bottom);
        if (size <= 0) return 0;
        const std::size_t n = std::min({static_cast<std::size_t>(size + 1) / 2, into.size(),
                                        static_cast<std::size_t>(most_stolen)});
        ring& r = stolen_from();
        for (std::size_t i = 0; i < n; ++i) {
            into[i] =
                r.slot(bottom - size + static_cast<std::int64_t>(i))
                    .load(std::memory_order_relaxed);  // may be stale: then the next line fails
        }
        const std::uint64_t raised = top + n;
        // edge deque.last: the seq_cst compare-exchange decides who has the jobs. edge deque.reuse, release
        // half (acquire half: the load in top_after_thefts()): our reads of the slots are over.
        const bool ours = top_.compare_exchange_strong(top, raised, std::memory_order_seq_cst,
                                                       std::memory_order_relaxed);
        return ours ? n : 0;
    }

    /// Any thread. Whether there seemed to be no job. A hint, except behind a heavy_barrier(): then a
    /// push that came before the barrier is seen.
    bool looks_empty() const noexcept { return approximate_size() == 0; }

    /// Any thread. About how many jobs there are.
    std::size_t approximate_size() const noexcept {
        // relaxed: a hint. Who acts on it calls steal() next.
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
        const std::int64_t n = distance(top_.load(std::memory_order_relaxed), bottom);
        return n > 0 ? static_cast<std::size_t>(n) : 0;
    }

    /// Any thread. About how often its owner has taken a job that thieves might have wanted, from wherever the count began;
    /// each 2^20 stolen jobs count as one more.
    std::uint64_t contested_takings() const noexcept {
        return top_.load(std::memory_order_relaxed) >> index_bits;  // relaxed: a hint
    }

private:
    friend deque_base<deque>;

    static constexpr int index_bits = 20;
    static constexpr std::uint64_t other_version = std::uint64_t{1} << index_bits;
    static_assert(2 * max_capacity <= std::int64_t{1} << (index_bits - 1));

    /// From top to `bottom`: how many jobs, if the two were read at the same time.
    static std::int64_t distance(std::uint64_t top, std::int64_t bottom) noexcept {
        const std::uint64_t difference = static_cast<std::uint64_t>(bottom) - top;
        return static_cast<std::int64_t>(difference << (64 - index_bits)) >> (64 - index_bits);
    }

    // Whether the owner has the jobs from `bottom` on without a contest.
    [[gnu::always_inline]] bool lower_bottom(std::int64_t bottom) noexcept {
        // edge deque.last, owner's half: claim the slots, then look at top, in the single order of seq_cst
        // operations. An exchange and not a store: only a read-modify-write is a full barrier on x86.
        bottom_.exchange(bottom, std::memory_order_seq_cst);
        // edge deque.last: see above.
        return distance(top_.load(std::memory_order_seq_cst), bottom) >= most_stolen;
    }

    // Whether the owner has the job at `bottom`, which thieves may want.
    [[gnu::always_inline]] bool take_contested(std::int64_t bottom) noexcept {
        // edge deque.publish, release half: a thief that sees this bottom instead of that of the push still sees
        // what was pushed below it. The compare-exchange is what orders it for the others.
        bottom_.store(bottom, std::memory_order_release);
        std::uint64_t top = top_.load(std::memory_order_relaxed);
        while (distance(top, bottom) >= 0) {
            const std::uint64_t same_top = top + other_version;
            // edge deque.last, owner's half: a thief that has read an older number fails, and one that reads
            // this one sees our bottom.
            if (top_.compare_exchange_weak(top, same_top, std::memory_order_release,
                                           std::memory_order_relaxed))
                return true;
        }
        bottom_.store(bottom + 1, std::memory_order_relaxed);  // empty again; publishes nothing
        return false;
    }

    std::int64_t top_after_thefts() const noexcept {
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
        // edge deque.reuse, acquire half (release half: the compare-exchange in steal()). Seeing a
        // thief's new top means its reads of those slots are over, so they may be written again.
        return bottom - distance(top_.load(std::memory_order_acquire), bottom);
    }

    alignas(cache_line_pair) atomic<std::uint64_t> top_;  // lower bits: the index
};

}  // namespace taskscope::detail
