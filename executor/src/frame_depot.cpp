// executor/src/frame_depot.cpp - spans, and the blocks cut from them.
// SPDX-License-Identifier: MIT
#include "frame_depot.hpp"

#include <taskscope/detail/pause.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

namespace taskscope::detail {

frame_block* frame_depot::take(std::size_t c, std::int64_t& n) {
    shelf& s = shelves_[c];
    const std::int64_t wanted = frame_class::batch(c);
    std::unique_lock lock = patiently(s.mutex);
    if (s.kept != 0) {
        s.out += wanted;
        n = wanted;
        return s.batches[(s.oldest + --s.kept) % s.batches.size()];
    }
    if (s.used == nullptr && s.unused == nullptr) {
        const bool huge_page =
            static_cast<std::size_t>(s.out) * frame_class::bytes(c) >= span_bytes / 2;
        lock.unlock();
        span* const fresh = span::make(c, huge_page);
        lock = patiently(s.mutex);
        link(s.used, *fresh);
        ++s.spans;
    }
    n = 0;
    frame_block* taken = s.take_touched(n, wanted);
    const run fresh = s.cut(c, wanted - n);
    n += fresh.count;
    s.out += n;
    lock.unlock();
    for (std::int64_t i = fresh.count; i-- > 0;) {
        void* const memory = fresh.first + static_cast<std::size_t>(i) * frame_class::bytes(c);
        taken = ::new (memory) frame_block{taken};
    }
    return taken;
}

void frame_depot::give_batch(std::size_t c, frame_block* first) noexcept {
    shelf& s = shelves_[c];
    span* unneeded = nullptr;
    {
        const std::unique_lock lock = patiently(s.mutex);
        s.out -= frame_class::batch(c);
        s.keep_no_more_than(c, s.batches.size() - 1, unneeded);
        s.batches[(s.oldest + s.kept++) % s.batches.size()] = first;
        s.keep_no_more_than(c, s.batches.size(), unneeded);
    }
    span::free_all(unneeded);
}

void frame_depot::give(std::size_t c, frame_block* first) noexcept {
    shelf& s = shelves_[c];
    span* unneeded = nullptr;
    {
        const std::unique_lock lock = patiently(s.mutex);
        for (const frame_block* b = first; b != nullptr; b = b->next) --s.out;
        s.put_back(first, unneeded);
        s.keep_no_more_than(c, s.batches.size(), unneeded);
    }
    span::free_all(unneeded);
}

frame_depot::totals frame_depot::count() const noexcept {
    totals t;
    for (const shelf& s : shelves_) {
        const std::lock_guard lock{s.mutex};
        t.out += s.out;
        t.reserved += s.spans * span_bytes;
    }
    return t;
}

// Blocks that were out before, as far as there are any: the oldest memory first.
frame_block* frame_depot::shelf::take_touched(std::int64_t& n, std::int64_t wanted) noexcept {
    frame_block* taken = nullptr;
    while (n < wanted) {
        if (used == nullptr) {
            if (unused == nullptr || taken != nullptr) break;
            span& s = *unused;
            unlink(unused, s);
            --unused_spans;
            link(used, s);
        }
        span& from = *used;
        frame_block* const b = from.free;
        if (b == nullptr) break;
        from.free = b->next;
        b->next = taken;
        taken = b;
        ++n;
        ++from.out;
        if (from.is_spent()) unlink(used, from);
    }
    return taken;
}

frame_depot::run frame_depot::shelf::cut(std::size_t c, std::int64_t wanted) noexcept {
    if (used == nullptr || wanted == 0) return {};
    span& from = *used;
    const auto n =
        std::min<std::uint32_t>(static_cast<std::uint32_t>(wanted), from.blocks - from.cut);
    run r{reinterpret_cast<unsigned char*>(&from + 1) + from.cut * frame_class::bytes(c), n};
    from.cut += n;
    from.out += n;
    if (from.is_spent()) unlink(used, from);
    return r;
}

// Nor more blocks than there are elsewhere: when nobody has any more, all memory can go.
void frame_depot::shelf::keep_no_more_than(std::size_t c, std::size_t most,
                                           span*& unneeded) noexcept {
    while (kept > most || static_cast<std::int64_t>(kept) * frame_class::batch(c) > out) {
        put_back(batches[oldest], unneeded);
        oldest = (oldest + 1) % batches.size();
        --kept;
    }
}

void frame_depot::shelf::put_back(frame_block* first, span*& unneeded) noexcept {
    while (first != nullptr) {
        frame_block* const b = first;
        first = b->next;
        span& home = span::of(b);
        if (home.is_spent()) link(used, home);
        b->next = home.free;
        home.free = b;
        if (--home.out != 0) continue;
        unlink(used, home);
        link(unused, home);
        ++unused_spans;
    }
    // Some are kept, lest a load that goes up and down makes and frees spans all the time.
    while (unused_spans > 1 + used_spans() / 8) {
        span& s = *unused;
        unlink(unused, s);
        --unused_spans;
        --spans;
        link(unneeded, s);
    }
}

void frame_depot::link(span*& list, span& s) noexcept {
    s.prev = nullptr;
    s.next = list;
    if (list != nullptr) list->prev = &s;
    list = &s;
}

void frame_depot::unlink(span*& list, span& s) noexcept {
    (s.prev != nullptr ? s.prev->next : list) = s.next;
    if (s.next != nullptr) s.next->prev = s.prev;
}

frame_depot::span* frame_depot::span::make(std::size_t c, bool huge_page) {
    void* memory = ::operator new(span_bytes, std::align_val_t{span_alignment});
    // A wish: where there are no huge pages it fails, and nothing is lost.
    if (huge_page) ::madvise(memory, span_bytes, MADV_HUGEPAGE);
    span* s = ::new (memory) span;
    s->blocks = static_cast<std::uint32_t>((span_bytes - sizeof(span)) / frame_class::bytes(c));
    return s;
}

void frame_depot::span::free_all(span* list) noexcept {
    while (list != nullptr) {
        span* const s = std::exchange(list, list->next);
        ::operator delete(s, std::align_val_t{span_alignment});
    }
}

frame_depot::span& frame_depot::span::of(frame_block* b) noexcept {
    const std::size_t offset = reinterpret_cast<std::uintptr_t>(b) & (span_alignment - 1);
    return *reinterpret_cast<span*>(reinterpret_cast<unsigned char*>(b) - offset);
}

}  // namespace taskscope::detail
