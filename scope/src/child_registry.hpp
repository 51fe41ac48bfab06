// scope/src/child_registry.hpp - where the live children of an executor are, for dumps and reports.
// SPDX-License-Identifier: MIT
//
// Not a list by scope, which workers that spawn into one scope would have to share. Each worker has places of
// its own, a pointer each, and puts every child it spawns into a free one; whoever ends the child empties it. No
// lock and no read-modify-write. A walk over all places is dear; it pays, the children do not.
//
// A child that ends while somebody walks waits, so that what the walker has found stays there to be read:
//
//             walker                                     whoever ends the child
//     1       walking = true                             place = nullptr
//     2       heavy_barrier()                            light_barrier()
//     3       read places                                read walking; if true, wait for the walk's mutex
//
// If 3 on the left finds the child, 1 on the right came after the barrier 2 on the left, so 3 on the right sees
// that somebody walks. Walks hold the mutex for one chunk of places at a time.
#pragma once

#include <taskscope/detail/barrier.hpp>
#include <taskscope/detail/child.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
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
            // edge registry.chunk, acquire half (release half: the store in grow()).
            const chunk* c = s->first.load(std::memory_order_acquire);
            for (; c != nullptr; c = c->next) walk(*c, f);
        }
    }

private:
    using place = atomic<child*>;

    struct chunk {
        std::array<place, 511> places{};
        chunk* next = nullptr;
    };
    /// So many are made at a time in the end. One by one they would have malloc grow by a page, which keeps all threads
    /// from touching new memory meanwhile.
    static constexpr std::size_t most_chunks_at_once = 64;

    /// Where one worker puts its children, or some threads that are no workers.
    struct alignas(cache_line_pair) stripe {
        std::mutex mutex;  // of those threads; a worker needs none
        atomic<chunk*> first{nullptr};
        chunk* at = nullptr;  // where to look for a free place next
        std::size_t in_chunk = 0;
        std::array<place*, 64> emptied{};  // by this worker itself: still warm in its cache
        std::size_t emptied_count = 0;
        std::vector<std::unique_ptr<chunk[]>> made;  // all chunks, and those not yet in the list:
        chunk* fresh = nullptr;
        std::size_t fresh_count = 0;

        place* find() noexcept;
        place* grow() noexcept;
    };

    template <class F>
    void walk(const chunk& c, F& f) const {
        const std::lock_guard lock{mutex_};
        const walk_flag flag(walking_);
        heavy_barrier();  // edge registry.walk: the flag is set before the places are read
        for (const place& p : c.places) {
            // edge registry.place, acquire half (release half: the store in add()): the whole record.
            if (const child* found = p.load(std::memory_order_acquire)) f(*found);
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

    bool is_shared(scope_state::place p) const noexcept {
        return p >= stripes_.size() - scope_state::foreign_places;
    }

    std::vector<std::unique_ptr<stripe>> stripes_;  // by scope_state::my_place()
    mutable std::mutex mutex_;                      // held by walkers
    mutable atomic<bool> walking_{false};
};

}  // namespace taskscope::detail
