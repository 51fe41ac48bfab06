// executor/src/await_trace.cpp - from a suspended leaf up to the records that trace it.
// SPDX-License-Identifier: MIT
#include <taskscope/await_chain.hpp>
#include <taskscope/detail/await_trace.hpp>
#include <taskscope/detail/join_block.hpp>
#include <taskscope/detail/watcher.hpp>

namespace taskscope::detail {
namespace {

// A suspension must not cost more and more where tasks await tasks without end. From nowhere: deeper ones are not seen
// in practice, and so many steps take less than a microsecond.
constexpr unsigned longest_way = 256;

struct step {
    promise_base* waiting = nullptr;  // who waits for the end of the task
    await_trace* trace = nullptr;     // that of its record
};

step above(promise_base& p) noexcept {
    switch (p.reports_to) {
        case completion::awaited:
            return {p.awaiting, nullptr};
        case completion::inline_branch:
        case completion::inline_last_branch:
        case completion::branch:
        case completion::last_branch:
            return {p.join->parent, nullptr};
        case completion::relay: {
            const auto& r = static_cast<relay&>(*p.recv);
            return {r.parent, r.trace};
        }
        case completion::traced:
            return {nullptr, static_cast<traced_receiver&>(*p.recv).trace};
        case completion::none:
        case completion::receiver:
            break;
    }
    return {};
}

// The frames from `leaf` to `top` wait for each other, so their promises stay as they are.
await_list list(promise_base& leaf, const promise_base& top) noexcept {
    await_list found;
    for (promise_base* p = &leaf;; p = above(*p).waiting) {
        found.add(p->awaits_at);
        if (p == &top) return found;
    }
}

}  // namespace

void trace_suspension(promise_base& leaf) noexcept {
    promise_base* p = &leaf;
    for (unsigned i = 0; p != nullptr && i < longest_way; ++i) {
        const step next = above(*p);
        if (next.trace != nullptr) next.trace->write(list(leaf, *p));
        p = next.waiting;
    }
}

traced_receiver* record_of(promise_base& leaf) noexcept {
    promise_base* p = &leaf;
    for (unsigned i = 0; p != nullptr && i < longest_way; ++i) {
        if (p->reports_to == completion::traced) return static_cast<traced_receiver*>(p->recv);
        p = above(*p).waiting;
    }
    return nullptr;
}

void tell_suspension(promise_base& leaf) noexcept {
    worker& w = *this_worker();
    if (w.traces_awaits) trace_suspension(leaf);
    let_go(w, leaf.awaits_at);
}

std::vector<std::source_location> chain_of(promise_base& leaf) {
    std::vector<std::source_location> places;
    for (promise_base* p = &leaf; p != nullptr; p = above(*p).waiting) {
        places.push_back(p->awaits_at);
    }
    return places;
}

void await_trace::write(const await_list& list) noexcept {
    std::uint32_t s = sequence_.load(std::memory_order_relaxed);
    // edge awaits.whole, acquire half (release half: the store below): the places of the one before are older.
    if (s % 2 != 0 || !sequence_.compare_exchange_strong(s, s + 1, std::memory_order_acquire,
                                                         std::memory_order_relaxed)) {
        return;
    }
    // edge awaits.torn, release half (acquire half: the loads in read()), here and below: that it is being written.
    for (std::uint32_t i = 0; i < list.count; ++i) {
        places_[i].store(list.places[i], std::memory_order_release);
    }
    numbers_.store(list.count | std::uint64_t{list.unlisted} << 32, std::memory_order_release);
    // edge awaits.whole, release half (acquire half: the loads in read() and write()): places and numbers.
    sequence_.store(s + 2, std::memory_order_release);
}

bool await_trace::read(await_list& list) const noexcept {
    constexpr int tries =
        8;  // from nowhere: a writer that is in the way so often has always something newer
    for (int i = 0; i < tries; ++i) {
        // edge awaits.whole, acquire half (release half: the last store in write()): places and numbers.
        const std::uint32_t s = sequence_.load(std::memory_order_acquire);
        if (s % 2 != 0) continue;
        // edge awaits.torn, acquire half (release half: the stores in write()), here and below: who has read of a later
        // list sees below that it is being written.
        const std::uint64_t numbers = numbers_.load(std::memory_order_acquire);
        list.count = static_cast<std::uint32_t>(numbers);
        list.unlisted = static_cast<std::uint32_t>(numbers >> 32);
        for (std::uint32_t k = 0; k < list.count; ++k) {
            list.places[k] = places_[k].load(std::memory_order_acquire);
        }
        if (sequence_.load(std::memory_order_relaxed) == s) return true;
    }
    return false;
}

}  // namespace taskscope::detail
