// <taskscope/detail/deque.hpp> - the deque a worker owns and every other worker may steal from.
// SPDX-License-Identifier: MIT
//
// The owner pushes and pops at the bottom, so it runs next what it made last, still warm in its cache.
// Thieves take from the top, so they get the oldest job, which tends to stand for the most work.
//
//        top                        bottom
//         v                            v
//   ... [ 7 ][ 8 ][ 9 ][ 10 ][ 11 ] [    ] ...        slot i lives in ring[i & mask]
//     steal()                push(), pop()
//
// Invariants
//   I1  top only grows; bottom grows except that pop() takes it back by one, and pop_many() by so many. It may be below
//       top for a moment, while its owner finds out that a thief was faster.
//   I2  A slot of the current ring is written only while it lies outside [top, bottom).
//   I3  Only the owner writes bottom and ring; anyone may raise top, by compare-exchange, one at a time.
//   I4  A ring that was replaced is never written again and never freed before the deque: a thief that
//       still holds it reads, at every index its compare-exchange can win, the same job as in the new one.
//
// Sources
//   Chase, Lev: Dynamic circular work-stealing deque. SPAA 2005, doi:10.1145/1073970.1073974.
//   Le, Pop, Cohen, Zappa Nardelli: Correct and efficient work-stealing for weak memory models.
//     PPoPP 2013, doi:10.1145/2442516.2442524.
//   Norris, Demsky: CDSchecker. OOPSLA 2013, doi:10.1145/2509136.2509514 (an error in a published resize).
// Where we differ
//   Who pays for the full barrier between an owner's pop and a theft is for the user of the deque to say. Where thefts
//   are frequent the owner does: bottom is lowered by a sequentially consistent exchange and read, like top, by
//   seq_cst loads, which on x86 costs the same as a fence and is understood by ThreadSanitizer. Where they are rare
//   the thief does, by a heavy_barrier() between its looks at top and at bottom.
//   (docs/decisions/0012-forks-in-a-deque-of-their-own.md)
#pragma once

#include <taskscope/detail/atomic.hpp>
#include <taskscope/detail/barrier.hpp>
#include <taskscope/detail/job.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>

namespace taskscope::detail {

/// Who pays for the full barrier that decides between a pop and a theft.
enum class barrier_payer : unsigned char {
    owner,  ///< some ns for each pop
    thief,  ///< some us for each theft, and each running thread of the process is interrupted
};

template <barrier_payer payer>
class basic_deque {
public:
    static constexpr std::int64_t initial_capacity =
        shrinkable<std::int64_t>(256, 2);  // slots, a power of two; from nowhere
    /// The ring does not grow beyond, unless less was asked for.
    static constexpr std::int64_t max_capacity = shrinkable<std::int64_t>(1 << 16, 4);

    /// Allocates the first ring. Throws std::bad_alloc.
    /// `most`: slots of the greatest one. `origin`: where the indices start.
    explicit basic_deque(std::int64_t capacity = initial_capacity, std::int64_t most = max_capacity,
                         std::int64_t origin = first_count<std::int64_t>())
        : top_(origin),
          bottom_(origin),
          ring_(ring::make(capacity, nullptr)),
          slots_(ring_.load(std::memory_order_relaxed)->slots()),
          mask_(capacity - 1),
          full_at_(origin + capacity),
          most_(most),
          doubt_(barriers_are_asymmetric.load(std::memory_order_relaxed)
                     ? 0
                     : std::max(capacity, most)) {}

    ~basic_deque() {
        for (ring* r = ring_.load(std::memory_order_relaxed); r != nullptr;) {
            ring* older = r->older;
            ring::free(r);
            r = older;
        }
    }

    basic_deque(const basic_deque&) = delete;
    basic_deque& operator=(const basic_deque&) = delete;

    /// Owner only. False if the ring was full and has its greatest size, or no memory could be had.
    bool push(job* j) noexcept {
        const std::int64_t bottom =
            bottom_.load(std::memory_order_relaxed);  // only the owner writes it
        if (bottom == full_at_ && !make_room(bottom)) [[unlikely]]
            return false;
        own_slot(bottom).store(j, std::memory_order_relaxed);  // ordered by the next line
        // edge deque.publish, release half (acquire half: the load of bottom_ in steal()). A thief that
        // sees this bottom also sees the slot, the ring, and the coroutine frame the job stands for.
        bottom_.store(bottom + 1, std::memory_order_release);
        return true;
    }

    /// Owner only. The same for `n` jobs, so that jobs[0] is the youngest. False, and nothing is pushed, if there is no
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

    /// Owner only. The `n` youngest jobs, the oldest of them first. False, and nothing is taken, if a thief might want one
    /// of them.
    bool pop_many(job** jobs, std::int64_t n) noexcept {
        static_assert(payer == barrier_payer::owner, "one barrier for all of them");
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed) - n;
        // A thief that reads a later top than we did reads our bottom after it, and takes nothing above that.
        if (top_.load(std::memory_order_relaxed) >= bottom) return false;
        if (!lower_bottom(bottom)) {
            // edge deque.publish, release half, as in push().
            bottom_.store(bottom + n, std::memory_order_release);
            return false;
        }
        for (std::int64_t i = 0; i < n; ++i)
            jobs[i] = own_slot(bottom + i).load(std::memory_order_relaxed);
        return true;
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
        if constexpr (payer == barrier_payer::thief) {
            // edge deque.last, owner's half where barriers are symmetric.
            if (doubt_ != 0) full_fence();
        }
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
        std::int64_t top = 0;
        std::int64_t bottom = 0;
        if constexpr (payer == barrier_payer::owner) {
            // edge deque.last, thief's half: top is read before bottom in the single order of seq_cst
            // operations, so that owner and thief cannot both miss that the other took the last job.
            top = top_.load(std::memory_order_seq_cst);
            if (top < base) return nullptr;
            // edge deque.publish, acquire half; edge deque.last: see above.
            bottom = bottom_.load(std::memory_order_seq_cst);
        } else {
            top = top_.load(std::memory_order_relaxed);  // ordered by the barrier
            if (top < base || top >= bottom_.load(std::memory_order_relaxed)) return nullptr;
            // edge deque.last, thief's half: an owner that has read an older top than ours has done so before this
            // barrier, and has lowered bottom before that: we see it below.
            heavy_barrier();
            // edge deque.publish, acquire half.
            bottom = bottom_.load(std::memory_order_acquire);
        }
        if (top >= bottom) return nullptr;
        // edge deque.grow, acquire half (release half: the store in make_room()). The ring is at least as
        // new as the bottom read above, so it holds slot `top`.
        ring* r = ring_.load(std::memory_order_acquire);
        job* j =
            r->slot(top).load(std::memory_order_relaxed);  // may be stale: then the next line fails
        // edge deque.last: the seq_cst compare-exchange decides who has the job. edge deque.reuse, release
        // half (acquire half: the load of top_ in make_room()): our read of the slot is over.
        if (!top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst,
                                          std::memory_order_relaxed)) {
            return nullptr;
        }
        return j;
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
    struct ring {
        ring* older;        // replaced rings, kept until the deque goes (I4)
        std::int64_t mask;  // number of slots, a power of two, less one

        std::int64_t capacity() const noexcept { return mask + 1; }
        atomic<job*>* slots() noexcept { return reinterpret_cast<atomic<job*>*>(this + 1); }
        atomic<job*>& slot(std::int64_t index) noexcept { return slots()[index & mask]; }
        static ring* make(std::int64_t capacity, ring* older) {
            const auto slots = static_cast<std::size_t>(capacity);
            void* memory = ::operator new(sizeof(ring) + slots * sizeof(atomic<job*>));
            ring* r = ::new (memory) ring{older, capacity - 1};
            auto* first = reinterpret_cast<atomic<job*>*>(r + 1);
            for (std::size_t i = 0; i < slots; ++i) ::new (first + i) atomic<job*>(nullptr);
            return r;
        }
        static void free(ring* r) noexcept { ::operator delete(r); }
    };

    atomic<job*>& own_slot(std::int64_t index) noexcept { return slots_[index & mask_]; }

    // Whether the owner has the slot at `bottom` without a contest; take_contested() otherwise.
    [[gnu::always_inline]] bool lower_bottom(std::int64_t bottom) noexcept {
        if constexpr (payer == barrier_payer::owner) {
            // edge deque.last, owner's half: claim the slot, then look at top, in the single order of seq_cst
            // operations. An exchange and not a store: only a read-modify-write is a full barrier on x86.
            bottom_.exchange(bottom, std::memory_order_seq_cst);
            return top_.load(std::memory_order_seq_cst) < bottom;  // edge deque.last, see above
        } else {
            // edge deque.publish, release half: a thief that sees this bottom instead of that of the push still sees
            // what was pushed below it.
            bottom_.store(bottom, std::memory_order_release);
            // edge deque.last, owner's half: claim the slot, then look at top.
            compiler_barrier();  // where that is not enough, `doubt_` says so
            return top_.load(std::memory_order_relaxed) + doubt_ < bottom;
        }
    }

    [[gnu::noinline]] bool make_room(std::int64_t bottom) noexcept {
        ring* const r = ring_.load(std::memory_order_relaxed);  // only the owner writes it
        // edge deque.reuse, acquire half (release half: the compare-exchange in steal()). Seeing a
        // thief's new top means its read of that slot is over, so the slot may be written again.
        const std::int64_t top = top_.load(std::memory_order_acquire);
        full_at_ = top + r->capacity();
        if (bottom != full_at_) return true;
        if (r->capacity() >= most_) return false;
        ring* larger = nullptr;
        try {
            larger = ring::make(2 * r->capacity(), r);
        } catch (const std::bad_alloc&) {
            return false;
        }
        for (std::int64_t i = top; i < bottom; ++i) {
            larger->slot(i).store(r->slot(i).load(std::memory_order_relaxed),
                                  std::memory_order_relaxed);
        }
        // edge deque.grow, release half (acquire half: the load of ring_ in steal()).
        ring_.store(larger, std::memory_order_release);
        slots_ = larger->slots();
        mask_ = larger->mask;
        full_at_ = top + larger->capacity();
        return true;
    }

    alignas(cache_line_pair) atomic<std::int64_t> top_;
    alignas(cache_line_pair) atomic<std::int64_t> bottom_;
    atomic<ring*> ring_;
    // Owner's, so that it need not ask the ring.
    atomic<job*>* slots_;
    std::int64_t mask_;
    std::int64_t full_at_;  // owner's: no push at this bottom before another look at top
    const std::int64_t most_;
    const std::int64_t doubt_;  ///< 0; where barriers are symmetric more than there can be jobs
};

/// For jobs that others take all the time.
using deque = basic_deque<barrier_payer::owner>;
/// For branches and parts, which their owner nearly always takes back.
using fork_deque = basic_deque<barrier_payer::thief>;

}  // namespace taskscope::detail
