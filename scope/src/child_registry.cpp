// scope/src/child_registry.cpp - finding a place for a child, and emptying it.
// SPDX-License-Identifier: MIT
#include "child_registry.hpp"

#include <algorithm>
#include <limits>
#include <new>

namespace taskscope::detail {

static_assert(most_workers + scope_state::foreign_places <=
              std::numeric_limits<decltype(child::stripe)>::max());

child_registry::child_registry(unsigned workers) {
    for (unsigned i = 0; i < workers + scope_state::foreign_places; ++i)
        stripes_.push_back(std::make_unique<stripe>());
}

void child_registry::add(child& c) noexcept {
    const scope_state::place mine = c.scope->my_place();
    stripe& s = *stripes_[mine];
    c.stripe = static_cast<std::uint16_t>(mine);
    if (is_shared(mine)) {
        c.place = s.claim(c);
        return;
    }
    c.place = s.find();
    // edge registry.place, release half (acquire half: the load in walk()): whoever finds it may read it.
    if (c.place != child::nowhere) s.nth(c.place).store(&c, std::memory_order_release);
}

void child_registry::remove(child& c) noexcept {
    if (c.place == child::nowhere) return;
    stripe& s = *stripes_[c.stripe];
    // relaxed: whoever finds the place empty reads nothing.
    s.nth(c.place).store(nullptr, std::memory_order_relaxed);
    if (!is_shared(c.stripe) && c.scope->my_place() == c.stripe) {
        if (s.emptied_count < s.emptied.size()) s.emptied[s.emptied_count++] = c.place;
    }
    light_barrier();  // edge registry.walk: the place is empty before we look whether somebody walks
    // edge registry.walked, acquire half (release half: ~walk_flag()): an earlier walk is through with it.
    if (walking_.load(std::memory_order_acquire)) [[unlikely]] {
        const std::lock_guard wait_for_the_walker{mutex_};
    }
}

// New places first, one after the other, then those of children that are gone, wherever `at` has come to. Fails when it has
// seen some hundred places more in use than not. In the long run a child costs two looks; one of them may cost as many as
// there are places.
template <class Take>
std::uint32_t child_registry::stripe::look(std::uint32_t n, Take take) noexcept {
    // relaxed, all of these: hints, which threads that share them may set back; and an empty place is free for us, whoever
    // has emptied it.
    for (std::uint32_t f = fresh.load(std::memory_order_relaxed); f < n;) {
        const std::uint32_t p = f++;
        fresh.store(f, std::memory_order_relaxed);
        if (is_empty(p) && take(p)) return p;
    }
    std::uint32_t next = at.load(std::memory_order_relaxed);
    std::int64_t crowd = crowding.load(std::memory_order_relaxed);
    std::uint32_t found = child::nowhere;
    while (n != 0 && crowd < at_once && found == child::nowhere) {
        if (next >= n) next = 0;
        const std::uint32_t p = next++;
        if (!is_empty(p)) {
            ++crowd;
            continue;
        }
        --crowd;
        if (take(p)) found = p;
    }
    at.store(next, std::memory_order_relaxed);
    crowding.store(std::max(crowd, -std::int64_t{n}), std::memory_order_relaxed);
    return found;
}

std::uint32_t child_registry::stripe::find() noexcept {
    while (emptied_count != 0) {
        const std::uint32_t p = emptied[--emptied_count];
        if (is_empty(p)) return p;  // else it was found below since
    }
    for (;;) {
        const std::uint32_t n = made.load(std::memory_order_relaxed);
        const std::uint32_t p = look(n, [](std::uint32_t) { return true; });
        if (p != child::nowhere || (wants_more(n) && !grow(n))) return p;
    }
}

std::uint32_t child_registry::stripe::claim(child& c) noexcept {
    const auto take = [this, &c](std::uint32_t p) {
        child* nobody = nullptr;
        // edge registry.place, release half (acquire half: the load in walk()): whoever finds it may read it.
        return nth(p).compare_exchange_strong(nobody, &c, std::memory_order_release,
                                              std::memory_order_relaxed);
    };
    for (;;) {
        // edge registry.made, acquire half (release half: the store in grow()): where they are.
        const std::uint32_t n = made.load(std::memory_order_acquire);
        const std::uint32_t p = look(n, take);
        if (p != child::nowhere) return p;
        const std::lock_guard lock{growing};
        if (made.load(std::memory_order_relaxed) == n && wants_more(n) && !grow(n))
            return child::nowhere;
    }
}

// What was seen on the way may mislead, most of all threads that look at the same time. So they are counted, each time when there
// are twice as many as the last time: there are never more than four times as many as children were, but for the first.
bool child_registry::stripe::wants_more(std::uint32_t n) noexcept {
    if (n < enough) return true;
    std::uint32_t used = 0;
    for (std::uint32_t p = 0; p < n; ++p) {
        if (!is_empty(p)) ++used;
    }
    if (used < n / 2) {
        crowding.store(-std::int64_t{n}, std::memory_order_relaxed);
        return false;
    }
    enough = 2 * n;
    return true;
}

bool child_registry::stripe::grow(std::uint32_t from) noexcept {
    // Without memory, too: then looking goes on. The new places are as many as will be seen in use next.
    crowding.store(-std::int64_t{at_once}, std::memory_order_relaxed);
    const std::uint32_t n = from / at_once + 1;
    if (std::has_single_bit(n)) {
        const auto s = static_cast<std::size_t>(std::countr_zero(n));
        if (s == segments.size()) return false;
        segments[s].reset(static_cast<place*>(
            ::operator new(std::size_t{n} * at_once * sizeof(place), std::nothrow)));
        if (segments[s] == nullptr) return false;
    }
    // Written before they are read: reading new memory would cost a fault of its own, and an interrupt of the others.
    std::uninitialized_value_construct_n(&nth(from), at_once);
    fresh.store(from, std::memory_order_relaxed);
    // edge registry.made, release half (acquire half: the loads in for_each() and claim()): they are there, and empty.
    made.store(from + at_once, std::memory_order_release);
    return true;
}

}  // namespace taskscope::detail
