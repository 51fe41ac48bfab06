// <taskscope/detail/deque_base.hpp> - what the two kinds of deque have in common: a ring that grows, and its bottom.
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
//   I1  top only grows; bottom grows except that an owner that takes jobs takes it back by so many. It may be below top
//       for a moment, while its owner finds out that a thief was faster.
//   I2  A slot of the current ring is written only while it lies outside [top, bottom).
//   I3  Only the owner writes bottom and ring; anyone may raise top, by compare-exchange.
//   I4  A ring that was replaced is never written again and never freed before the deque: a thief that
//       still holds it reads, at every index its compare-exchange can win, the same job as in the new one.
//
// Which of owner and thief has a job both want is for each kind to say: deque.hpp, fork_deque.hpp.
//
// Sources
//   Chase, Lev: Dynamic circular work-stealing deque. SPAA 2005, doi:10.1145/1073970.1073974.
//   Le, Pop, Cohen, Zappa Nardelli: Correct and efficient work-stealing for weak memory models.
//     PPoPP 2013, doi:10.1145/2442516.2442524.
//   Norris, Demsky: CDSchecker. OOPSLA 2013, doi:10.1145/2509136.2509514 (an error in a published resize).
#pragma once

#include <taskscope/detail/atomic.hpp>
#include <taskscope/detail/job.hpp>

#include <cstddef>
#include <cstdint>
#include <new>

namespace taskscope::detail {

/// `Deque` derives from it, and says where its top is: `top_after_thefts()`.
template <class Deque>
class deque_base {
public:
    static constexpr std::int64_t initial_capacity =
        shrinkable<std::int64_t>(256, 2);  // slots, a power of two; from nowhere
    /// The ring does not grow beyond, unless less was asked for.
    static constexpr std::int64_t max_capacity = shrinkable<std::int64_t>(1 << 16, 4);

    deque_base& operator=(const deque_base&) = delete;

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

private:
    friend Deque;

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

    /// Allocates the first ring. Throws std::bad_alloc.
    /// `most`: slots of the greatest one. `origin`: where the indices start.
    deque_base(std::int64_t capacity, std::int64_t most, std::int64_t origin)
        : bottom_(origin),
          ring_(ring::make(capacity, nullptr)),
          slots_(ring_.load(std::memory_order_relaxed)->slots()),
          mask_(capacity - 1),
          full_at_(origin + capacity),
          most_(most) {}

    deque_base(const deque_base&) = delete;

    ~deque_base() {
        for (ring* r = ring_.load(std::memory_order_relaxed); r != nullptr;) {
            ring* older = r->older;
            ring::free(r);
            r = older;
        }
    }

    atomic<job*>& own_slot(std::int64_t index) noexcept { return slots_[index & mask_]; }

    /// For a thief that has seen a bottom: a ring that holds all slots below it.
    ring& stolen_from() noexcept {
        // edge deque.grow, acquire half (release half: the store in make_room()). The ring is at least as
        // new as the bottom that was read before.
        return *ring_.load(std::memory_order_acquire);
    }

    [[gnu::noinline]] bool make_room(std::int64_t bottom) noexcept {
        ring* const r = ring_.load(std::memory_order_relaxed);  // only the owner writes it
        const std::int64_t top = static_cast<Deque*>(this)->top_after_thefts();
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
        // edge deque.grow, release half (acquire half: the load of ring_ in stolen_from()).
        ring_.store(larger, std::memory_order_release);
        slots_ = larger->slots();
        mask_ = larger->mask;
        full_at_ = top + larger->capacity();
        return true;
    }

    alignas(cache_line_pair) atomic<std::int64_t> bottom_;
    atomic<ring*> ring_;
    // Owner's, so that it need not ask the ring.
    atomic<job*>* slots_;
    std::int64_t mask_;
    std::int64_t full_at_;  ///< owner's: no push at this bottom before another look at top
    const std::int64_t most_;
};

}  // namespace taskscope::detail
