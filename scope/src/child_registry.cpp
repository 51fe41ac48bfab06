// scope/src/child_registry.cpp - finding a place for a child, and emptying it.
// SPDX-License-Identifier: MIT
#include "child_registry.hpp"

#include <algorithm>
#include <limits>
#include <new>

namespace taskscope::detail {

static_assert(most_workers + scope_state::foreign_places <=
              std::numeric_limits<decltype(child::stripe)>::max());

namespace {

// relaxed: an empty place is free for us, whoever has emptied it.
bool is_empty(const atomic<child*>& place) noexcept {
    return place.load(std::memory_order_relaxed) == nullptr;
}

// What is empty is ours, where nobody else takes any.
constexpr auto take_any = [](const atomic<child*>&) { return true; };

}  // namespace

child_registry::child_registry(unsigned workers) : workers_(workers) {
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
    const stripe::spot found = s.find();
    c.place = found.number;
    // edge registry.place, release half (acquire half: the load in walk()): whoever finds it may read it.
    if (found.there != nullptr) found.there->store(&c, std::memory_order_release);
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

// relaxed, all of these, here and below: hints, which threads that share them may set back.
template <class Take>
child_registry::stripe::spot child_registry::stripe::look_ahead(std::uint32_t n,
                                                                Take take) noexcept {
    for (std::uint32_t f = fresh.load(std::memory_order_relaxed); f < n;) {
        const std::uint32_t p = f++;
        fresh.store(f, std::memory_order_relaxed);
        place& there = nth(p);
        if (is_empty(there) && take(there)) return {&there, p};
    }
    return {};
}

// Fails when it has seen some hundred places more in use than not. In the long run a child costs two looks; one of them may
// cost as many as there are places.
template <class Take>
child_registry::stripe::spot child_registry::stripe::look_around(std::uint32_t n,
                                                                 Take take) noexcept {
    std::uint32_t next = at.load(std::memory_order_relaxed);
    std::int64_t crowd = crowding.load(std::memory_order_relaxed);
    spot found;
    while (n != 0 && crowd < at_once && found.there == nullptr) {
        if (next >= n) next = 0;
        // Those up to the next multiple of at_once lie side by side.
        place* const first = &nth(next);
        const std::int64_t side_by_side = at_once - next % at_once;
        place* const last = first + std::min(side_by_side, at_once - crowd);
        place* const there = std::find_if(first, last, is_empty);
        next += static_cast<std::uint32_t>(there - first);
        crowd += there - first;
        if (there == last) continue;
        if (take(*there)) found = {there, next};
        ++next;
        --crowd;
    }
    at.store(next, std::memory_order_relaxed);
    crowding.store(std::max(crowd, -std::int64_t{n}), std::memory_order_relaxed);
    return found;
}

child_registry::stripe::spot child_registry::stripe::find() noexcept {
    while (emptied_count != 0) {
        const std::uint32_t p = emptied[--emptied_count];
        place& there = nth(p);
        if (is_empty(there)) return {&there, p};  // else it was found elsewhere since
    }
    const std::uint32_t n = made.load(std::memory_order_relaxed);
    const spot found = look_ahead(n, take_any);
    return found.there != nullptr ? found : find_among(n);
}

// Not inline: who finds one of the others would save registers for it.
[[gnu::noinline]] child_registry::stripe::spot child_registry::stripe::find_among(
    std::uint32_t n) noexcept {
    for (;;) {
        const spot found = look_around(n, take_any);
        if (found.there != nullptr) return found;
        if (wants_more(n)) return grow(n) ? find() : spot{};
    }
}

std::uint32_t child_registry::stripe::claim(child& c) noexcept {
    const auto take = [&c](place& there) {
        child* nobody = nullptr;
        // edge registry.place, release half (acquire half: the load in walk()): whoever finds it may read it.
        return there.compare_exchange_strong(nobody, &c, std::memory_order_release,
                                             std::memory_order_relaxed);
    };
    for (;;) {
        // edge registry.made, acquire half (release half: the store in grow()): where they are.
        const std::uint32_t n = made.load(std::memory_order_acquire);
        spot found = look_ahead(n, take);
        if (found.there == nullptr) found = look_around(n, take);
        if (found.there != nullptr) return found.number;
        const std::lock_guard lock{growing};
        if (made.load(std::memory_order_relaxed) == n && wants_more(n) && !grow(n))
            return child::nowhere;
    }
}

// What was seen on the way may mislead, most of all threads that look at the same time. So they are counted, each time when there
// are twice as many as the last time: there are never more than four times as many as children were, but for the first.
bool child_registry::stripe::wants_more(std::uint32_t n) noexcept {
    if (n < enough) return true;
    std::uint32_t used = n;
    for (std::uint32_t first = 0; first != n; first += at_once)
        used -=
            static_cast<std::uint32_t>(std::count_if(&nth(first), &nth(first) + at_once, is_empty));
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
