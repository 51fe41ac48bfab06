// scope/src/members.cpp - who enters a scope, who leaves it, and who is the last.
// SPDX-License-Identifier: MIT
//
// In one word, so that each question is decided by one read-modify-write; until threads are seen to stand in line for it.
// Then the scope is *spread*: it gets a stripe, a line of its own, for each worker, and some for all other threads. A child
// is counted in the stripe of who spawns it, and is taken off there. A stripe is in the word as one child while it is not
// empty: who enters an empty one enters the word first, and whoever leaves it empty leaves the word last. So the word says
// as ever whether there are members; only how many is the sum of the stripes.
//
//     enter   children != 0      + 1. It was not 0, so the word has it, and keeps it until we leave
//             children == 0      enter the word, then 0 -> 1; if it is not 0 any more the place in the word is ours alone
//     leave   children - 1       if that is 0, leave the word; else the scope may be gone
//
// Source: Ellen, Lev, Luchangco, Moir: SNZI: scalable nonzero indicators. PODC 2007, doi:10.1145/1281100.1281106. Ours has
// one level, and a child that does not wait for another one that is about to make the stripe not empty.
// (docs/decisions/0013-members-of-a-busy-scope.md)
#include "scope_runtime.hpp"

#include <taskscope/detail/scope_state.hpp>

#include <algorithm>
#include <new>

namespace taskscope::detail {
namespace {

// So often may somebody stand in line before a scope is spread: some us of waiting in all.
constexpr std::uint32_t patience = shrinkable<std::uint32_t>(64, 2);
// What in_line_ is then: more than ever stand there.
constexpr std::uint32_t was_spread = std::uint32_t{1} << 31;

// Threads take turns, so that few share one.
scope_state::place foreign_place() noexcept {
    static constinit atomic<std::uint32_t> threads{0};
    thread_local const std::uint32_t mine = threads.fetch_add(1, std::memory_order_relaxed);
    return mine % scope_state::foreign_places;
}

}  // namespace

scope_state::place scope_state::enter_among_others() noexcept {
    const std::uint64_t word = word_.load(std::memory_order_relaxed);
    if ((word & spread) == 0) return enter_word() ? in_word : refused;
    // relaxed: who has closed the scope before, for us, is seen.
    if ((word & closed) != 0) return refused;
    const place p = my_place();
    atomic<std::uint64_t>& children = stripe_at(p).children;
    std::uint64_t n = children.load(std::memory_order_relaxed);
    while (n != 0) {
        if (children.compare_exchange_weak(n, n + 1, std::memory_order_relaxed)) return p;
    }
    if (!enter_word()) return refused;
    return children.compare_exchange_strong(n, 1, std::memory_order_relaxed) ? p : in_word;
}

bool scope_state::enter_word() noexcept {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
        if ((word & closed) != 0) return false;
        stand_in_line();  // who comes here has tried once
        // relaxed, as in try_enter().
        if (word_.compare_exchange_weak(word, word + one_child, std::memory_order_relaxed))
            return true;
    }
}

bool scope_state::enter_scope(std::uint64_t refusing) noexcept {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    do {
        if ((word & refusing) != 0) return false;
        // relaxed, as in try_enter().
    } while (!word_.compare_exchange_weak(word, word + one_scope, std::memory_order_relaxed));
    return true;
}

void scope_state::stand_in_line() noexcept {
    if (in_line_.load(std::memory_order_relaxed) < patience &&
        in_line_.fetch_add(1, std::memory_order_relaxed) + 1 == patience)
        spread_members();
}

void scope_state::spread_members() noexcept {
    if (in_line_.exchange(was_spread, std::memory_order_relaxed) >= was_spread) return;
    stripes_.reset(new (std::nothrow) stripe[workers_ + foreign_places]);
    if (stripes_ == nullptr) return;  // then they go on standing in line
    // edge scope.spread, release half (acquire half: stripe_at(), counts()).
    word_.fetch_or(spread, std::memory_order_release);
}

scope_state::place scope_state::my_place() const noexcept {
    // The executor may be gone: a portal keeps the state of a scope, and asks before it knows that it is closed.
    const worker* const w = this_worker();
    return w != nullptr && w->core == core_ ? w->index : workers_ + foreign_place();
}

scope_state::stripe& scope_state::stripe_at(place p) noexcept {
    // edge scope.spread, acquire half (release half: spread_members()): the caller knows that there are some.
    static_cast<void>(word_.load(std::memory_order_acquire));
    return stripes_[p];
}

void scope_state::leave(place p, std::uint32_t children) noexcept {
    if (p == in_word) return leave_word(one_child * children);
    // edge scope.leave, both halves: what each member did is visible to whoever ends the scope.
    if (stripe_at(p).children.fetch_sub(children, std::memory_order_acq_rel) != children)
        return;  // *this may be gone
    leave_word(one_child);
}

void scope_state::leave_word(std::uint64_t members) noexcept {
    // In a loop and not by recursion: a tree may be deep.
    for (scope_state* s = this; s != nullptr; members = one_scope) s = s->leave_once(members);
}

scope_state* scope_state::leave_once(std::uint64_t members) noexcept {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
        std::uint64_t next = word - members;
        const bool last = next < one_child && (word & join_wanted) != 0;
        const bool cleanup = last && (word & deferred) != 0;
        if (last) next |= closed | (cleanup ? one_child : ending);
        // edge scope.leave, both halves: what each member did is visible to whoever ends the scope.
        if (!word_.compare_exchange_weak(word, next, std::memory_order_acq_rel,
                                         std::memory_order_relaxed)) {
            if (members < one_scope) stand_in_line();
            continue;
        }
        // Unless we are the last, *this may be gone.
        if (!cleanup) return last ? end() : nullptr;
        if (begin_deferred()) return nullptr;
        members = one_child;  // nothing was begun: it is us who leaves
        word = word_.load(std::memory_order_relaxed);
    }
}

void scope_state::close() noexcept {
    // relaxed: who fails to enter learns nothing but that.
    if ((word_.fetch_or(closed, std::memory_order_relaxed) & closed) == 0) closing.request_stop();
}

bool scope_state::try_end() noexcept {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    std::uint64_t next = 0;
    do {
        if ((word & ending) != 0) return true;
        if (word >= one_child) return false;
        next = (word & deferred) != 0 ? (word | closed) + one_child : word | closed | ending;
        // edge scope.leave, acquire half: everything the members did.
    } while (!word_.compare_exchange_weak(word, next, std::memory_order_acquire,
                                          std::memory_order_relaxed));
    if ((next & ending) == 0) {
        if (!begin_deferred()) leave_word(one_child);
        return has_ended();
    }
    if (scope_state* up = end()) up->leave_word(one_scope);
    return true;
}

void scope_state::want_join() noexcept {
    while (!try_end()) {
        std::uint64_t word = word_.load(std::memory_order_relaxed);
        while (word >= one_child) {
            // relaxed: the member that ends the scope reads the flag in the same word.
            if (word_.compare_exchange_weak(word, word | join_wanted, std::memory_order_relaxed))
                return;
        }
    }
}

scope_counts scope_state::counts() const noexcept {
    // edge scope.spread, acquire half (release half: spread_members()).
    const std::uint64_t word = word_.load(std::memory_order_acquire);
    scope_counts c;
    c.scopes = word / one_scope;
    c.live = word % one_scope / one_child;
    c.spawned = count.spawned.load(std::memory_order_relaxed);
    for (std::size_t i = 0; (word & spread) != 0 && i < workers_ + foreign_places; ++i) {
        const std::uint64_t children = stripes_[i].children.load(std::memory_order_relaxed);
        c.spawned += stripes_[i].spawned.load(std::memory_order_relaxed);
        if (children != 0) c.live += children - 1;  // one is in the word
    }
    // Never to 0: that says that nobody will touch the scope any more, nor needs its executor.
    if (c.live != 0) c.live -= std::min(c.live - 1, called_of(*context.home, this));
    c.failed = count.failed.load(std::memory_order_relaxed);
    c.stopped = count.stopped.load(std::memory_order_relaxed);
    c.refused = count.refused.load(std::memory_order_relaxed);
    c.handler_failures = count.handler_failures.load(std::memory_order_relaxed);
    c.starting = count.starting.load(std::memory_order_relaxed);
    return c;
}

}  // namespace taskscope::detail
