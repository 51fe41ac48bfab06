// scope/src/child_registry.cpp - finding a place for a child, and emptying it.
// SPDX-License-Identifier: MIT
#include "child_registry.hpp"

#include <algorithm>
#include <limits>
#include <new>

namespace taskscope::detail {
namespace {

// Tried before there are more: so at least one place in so many is in use, or was when we looked.
constexpr int most_looks = 8;

}  // namespace

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
    if (c.place != child::nowhere)
        std::atomic_ref(s.place(c.place)).store(&c, std::memory_order_release);
}

void child_registry::remove(child& c) noexcept {
    if (c.place == child::nowhere) return;
    stripe& s = *stripes_[c.stripe];
    // relaxed: whoever finds the place empty reads nothing.
    std::atomic_ref(s.place(c.place)).store(nullptr, std::memory_order_relaxed);
    if (!is_shared(c.stripe) && c.scope->my_place() == c.stripe) {
        if (s.emptied_count < s.emptied.size()) s.emptied[s.emptied_count++] = c.place;
    }
    light_barrier();  // edge registry.walk: the place is empty before we look whether somebody walks
    // edge registry.walked, acquire half (release half: ~walk_flag()): an earlier walk is through with it.
    if (walking_.load(std::memory_order_acquire)) [[unlikely]] {
        const std::lock_guard wait_for_the_walker{mutex_};
    }
}

// The first of the next few places, of `n`, that is empty and that `take` gets; nowhere if there is none.
template <class Take>
std::uint32_t child_registry::stripe::look(std::uint32_t n, Take take) noexcept {
    // relaxed: a hint, where others may have gone on from.
    std::uint32_t next = at.load(std::memory_order_relaxed);
    std::uint32_t found = child::nowhere;
    for (int i = 0; n != 0 && i < most_looks && found == child::nowhere; ++i) {
        if (next >= n) next = 0;
        if (is_empty(next) && take(next)) found = next;
        ++next;
    }
    at.store(next, std::memory_order_relaxed);
    return found;
}

std::uint32_t child_registry::stripe::find() noexcept {
    while (emptied_count != 0) {
        const std::uint32_t p = emptied[--emptied_count];
        if (is_empty(p)) return p;  // else it was found below since
    }
    const std::uint32_t n = made.load(std::memory_order_relaxed);
    const std::uint32_t p = look(n, [](std::uint32_t) { return true; });
    if (p != child::nowhere || !grow(n)) return p;
    at.store(n + 1, std::memory_order_relaxed);
    return n;
}

std::uint32_t child_registry::stripe::claim(child& c) noexcept {
    const auto take = [this, &c](std::uint32_t p) {
        std::atomic_ref ours(place(p));
        child* nobody = nullptr;
        // edge registry.place, release half (acquire half: the load in walk()): whoever finds it may read it.
        return ours.compare_exchange_strong(nobody, &c, std::memory_order_release,
                                            std::memory_order_relaxed);
    };
    for (;;) {
        // edge registry.made, acquire half (release half: the store in grow()): where they are.
        const std::uint32_t n = made.load(std::memory_order_acquire);
        const std::uint32_t p = look(n, take);
        if (p != child::nowhere) return p;
        const std::lock_guard lock{growing};
        if (made.load(std::memory_order_relaxed) != n) continue;
        if (!grow(n)) return child::nowhere;
        at.store(n, std::memory_order_relaxed);
    }
}

bool child_registry::stripe::grow(std::uint32_t from) noexcept {
    const std::uint32_t n = from / at_once + 1;
    if (std::has_single_bit(n)) {
        const auto s = static_cast<std::size_t>(std::countr_zero(n));
        if (s == segments.size()) return false;
        segments[s].reset(new (std::nothrow) child*[std::size_t{n} * at_once]);
        if (segments[s] == nullptr) return false;
    }
    // Written before they are read: reading new memory would cost a fault of its own, and an interrupt of the others.
    std::fill_n(&place(from), at_once, nullptr);
    // edge registry.made, release half (acquire half: the loads in for_each() and claim()): they are there, and empty.
    made.store(from + at_once, std::memory_order_release);
    return true;
}

}  // namespace taskscope::detail
