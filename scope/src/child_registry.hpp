// scope/src/child_registry.hpp - where the live children of an executor are, for dumps and reports.
// SPDX-License-Identifier: MIT
//
// Not a list by scope, which workers that spawn into one scope would have to share. Each worker has places of
// its own, a pointer each, and puts every child it spawns into a free one; whoever ends the child empties it. No
// lock and no read-modify-write. Threads that are no workers share a few stripes of places, and take one by a
// compare-exchange. A walk over all places is dear; it pays, the children do not.
//
// A child knows its place by a number. The places of a stripe come in segments, each twice as large as the one before,
// which stay where they are; so a number is enough to find one. Of a segment no more is touched than there are places.
//
// A child that ends while somebody walks waits, so that what the walker has found stays there to be read:
//
//             walker                                     whoever ends the child
//     1       walking = true                             place = nullptr
//     2       heavy_barrier()                            light_barrier()
//     3       read places                                read walking; if true, wait for the walk's mutex
//
// If 3 on the left finds the child, 1 on the right came after the barrier 2 on the left, so 3 on the right sees
// that somebody walks. Walks hold the mutex for some hundred places at a time.
#pragma once

#include <taskscope/detail/barrier.hpp>
#include <taskscope/detail/child.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

namespace taskscope::detail {

class child_registry {
public:
    explicit child_registry(unsigned workers);
    ~child_registry() = default;
    child_registry(const child_registry&) = delete;
    child_registry& operator=(const child_registry&) = delete;

    /// If there is no memory for another place the child is not listed; nothing but walks will notice.
    void add(child& c) noexcept;
    /// When it returns nobody reads `c` any more.
    void remove(child& c) noexcept;

    /// Calls `f(const child&)` for the live children of the executor. `f` must not end or await a child.
    template <class F>
    void for_each(F f) const {
        for (const auto& s : stripes_) {
            // edge registry.made, acquire half (release half: the store in grow()): the places are empty.
            const std::uint32_t made = s->made.load(std::memory_order_acquire);
            for (std::uint32_t first = 0; first != made; first += at_once) walk(&s->nth(first), f);
        }
    }

private:
    using place = atomic<child*>;

    /// So many places more there are when there are too few; and in a walk without letting go of the mutex.
    static constexpr std::uint32_t at_once = shrinkable<std::uint32_t>(512, 2);
    static_assert(std::has_single_bit(at_once));
    static constexpr std::size_t most_segments = 22;  // almost 2^31 places

    struct free_segment {
        void operator()(place* s) const noexcept { ::operator delete(static_cast<void*>(s)); }
    };
    using segment = std::unique_ptr<place[], free_segment>;

    /// Where one worker puts its children, or some threads that are no workers.
    struct alignas(cache_line_pair) stripe {
        std::array<segment, most_segments> segments;  // one after the other
        atomic<std::uint32_t> made{0};     // places that there are; the rest was never touched
        atomic<std::uint32_t> fresh{0};    // where to look for one that no child was in yet
        atomic<std::uint32_t> at{0};       // and for one that is free again
        atomic<std::int64_t> crowding{0};  // how many more were in use there than not
        std::uint32_t enough = at_once;    // when there are so many they are counted first
        std::array<std::uint32_t, 64> emptied{};  // by this worker itself: still warm in its cache
        std::size_t emptied_count = 0;
        std::mutex growing;  // of threads that are no workers; a worker needs none

        /// A place, and its number; or none.
        struct spot {
            place* there = nullptr;
            std::uint32_t number = child::nowhere;
        };

        place& nth(std::uint32_t number) const noexcept {
            // The highest bit of this says in which segment, the others where. ^ 63: g++ 12 makes one instruction of that,
            // and five of std::bit_width(n) - 1.
            const std::uint64_t n = std::uint64_t{number} + at_once;
            const auto bit = static_cast<unsigned>(std::countl_zero(n) ^ 63);
            constexpr unsigned lowest = std::countr_zero(at_once);
            return segments[bit - lowest][n & ~(std::uint64_t{1} << bit)];
        }
        /// For a worker, which has the stripe alone: a place that is empty.
        spot find() noexcept;
        /// The same when there is none ahead among the `n` that there are: one that was left, or a new one.
        spot find_among(std::uint32_t n) noexcept;
        /// For one of those that share it: the number of the place where `c` is now.
        std::uint32_t claim(child& c) noexcept;
        /// One of the first `n` that no child was in yet.
        template <class Take>
        spot look_ahead(std::uint32_t n, Take take) noexcept;
        /// One of the first `n`, wherever `at` has come to.
        template <class Take>
        spot look_around(std::uint32_t n, Take take) noexcept;
        /// Whether there should be more than `n` places. Where the stripe is shared: under the lock, as grow().
        bool wants_more(std::uint32_t n) noexcept;
        /// Makes places, the first of which is `from`. False without memory.
        bool grow(std::uint32_t from) noexcept;
    };

    template <class F>
    void walk(const place* places, F& f) const {
        const std::lock_guard lock{mutex_};
        const walk_flag flag(walking_);
        heavy_barrier();  // edge registry.walk: the flag is set before the places are read
        for (std::uint32_t i = 0; i < at_once; ++i) {
            // edge registry.place, acquire half (release half: the store in add(), and that in claim()): the whole record.
            if (const child* found = places[i].load(std::memory_order_acquire)) f(*found);
        }
    }

    struct walk_flag {
        explicit walk_flag(atomic<bool>& f) noexcept : walking(f) {
            walking.store(true, std::memory_order_relaxed);  // ordered by the barrier that follows
        }
        ~walk_flag() {
            // edge registry.walked, release half (acquire half: the load in remove()): what was found was read.
            walking.store(false, std::memory_order_release);
        }
        walk_flag(const walk_flag&) = delete;
        walk_flag& operator=(const walk_flag&) = delete;
        atomic<bool>& walking;
    };

    bool is_shared(scope_state::place p) const noexcept { return p >= workers_; }

    const scope_state::place workers_;
    std::vector<std::unique_ptr<stripe>> stripes_;  // by scope_state::my_place()
    mutable std::mutex mutex_;                      // held by walkers
    mutable atomic<bool> walking_{false};
};

}  // namespace taskscope::detail
