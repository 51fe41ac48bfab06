// scope/src/child_registry.cpp - finding a place for a child, and emptying it.
// SPDX-License-Identifier: MIT
#include "child_registry.hpp"

#include <algorithm>
#include <new>

namespace taskscope::detail {
namespace {

// Tried before another chunk is made: so at least one place in so many is in use, or was when we looked.
constexpr int most_looks = 8;

}  // namespace

child_registry::child_registry(unsigned workers) {
    for (unsigned i = 0; i < workers + scope_state::foreign_places; ++i)
        stripes_.push_back(std::make_unique<stripe>());
}

void child_registry::add(child& c) noexcept {
    c.stripe = c.scope->my_place();
    stripe& s = *stripes_[c.stripe];
    std::unique_lock lock{s.mutex, std::defer_lock};
    if (is_shared(c.stripe)) lock.lock();
    c.place = s.find();
    // edge registry.place, release half (acquire half: the load in walk()): whoever finds it may read it.
    if (c.place != nullptr) c.place->store(&c, std::memory_order_release);
}

void child_registry::remove(child& c) noexcept {
    if (c.place == nullptr) return;
    // relaxed: whoever finds the place empty reads nothing.
    c.place->store(nullptr, std::memory_order_relaxed);
    if (!is_shared(c.stripe) && c.scope->my_place() == c.stripe) {
        stripe& s = *stripes_[c.stripe];
        if (s.emptied_count < s.emptied.size()) s.emptied[s.emptied_count++] = c.place;
    }
    light_barrier();  // edge registry.walk: the place is empty before we look whether somebody walks
    // edge registry.walked, acquire half (release half: ~walk_flag()): an earlier walk is through with it.
    if (walking_.load(std::memory_order_acquire)) [[unlikely]] {
        const std::lock_guard wait_for_the_walker{mutex_};
    }
}

child_registry::place* child_registry::stripe::find() noexcept {
    // relaxed: an empty place is free for us, whoever has emptied it.
    while (emptied_count != 0) {
        place* p = emptied[--emptied_count];
        if (p->load(std::memory_order_relaxed) == nullptr)
            return p;  // else it was found below since
    }
    if (at == nullptr) return grow();
    for (int i = 0; i < most_looks; ++i) {
        if (in_chunk == at->places.size()) {
            at = at->next != nullptr ? at->next : first.load(std::memory_order_relaxed);
            in_chunk = 0;
        }
        place* p = &at->places[in_chunk++];
        if (p->load(std::memory_order_relaxed) == nullptr) return p;
    }
    return grow();
}

child_registry::place* child_registry::stripe::grow() noexcept {
    if (fresh_count == 0) {
        const std::size_t n = std::min(made.size() + 1, most_chunks_at_once);
        try {
            made.push_back(std::make_unique<chunk[]>(n));
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
        fresh = made.back().get();
        fresh_count = n;
    }
    --fresh_count;
    at = fresh++;
    in_chunk = 1;
    at->next = first.load(std::memory_order_relaxed);
    // edge registry.chunk, release half (acquire half: the load in for_each()): its places are empty.
    first.store(at, std::memory_order_release);
    return &at->places[0];
}

}  // namespace taskscope::detail
