// executor/src/frame_depot.cpp - spans, and the blocks cut from them.
// SPDX-License-Identifier: MIT
#include "frame_depot.hpp"

#include <sys/mman.h>

#include <new>

namespace taskscope::detail {

frame_block* frame_depot::take(std::size_t c, std::int64_t& n) {
    shelf& s = shelves_[c];
    const std::lock_guard lock{s.mutex};
    const std::int64_t wanted = frame_class::batch(c);
    if (s.kept != 0) {
        s.out += wanted;
        n = wanted;
        return s.batches[(s.oldest + --s.kept) % s.batches.size()];
    }
    frame_block* taken = nullptr;
    for (n = 0; n < wanted; ++n) {
        if (s.used == nullptr) {
            if (taken != nullptr) break;
            s.use_another(c);
        }
        span& from = *s.used;
        frame_block* b = from.take(c);
        if (from.is_spent()) unlink(s.used, from);
        b->next = taken;
        taken = b;
    }
    s.out += n;
    return taken;
}

void frame_depot::give_batch(std::size_t c, frame_block* first) noexcept {
    shelf& s = shelves_[c];
    const std::lock_guard lock{s.mutex};
    s.out -= frame_class::batch(c);
    s.keep_no_more_than(c, s.batches.size() - 1);
    s.batches[(s.oldest + s.kept++) % s.batches.size()] = first;
    s.keep_no_more_than(c, s.batches.size());
}

void frame_depot::give(std::size_t c, frame_block* first) noexcept {
    shelf& s = shelves_[c];
    const std::lock_guard lock{s.mutex};
    for (const frame_block* b = first; b != nullptr; b = b->next) --s.out;
    s.put_back(first);
    s.keep_no_more_than(c, s.batches.size());
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

void frame_depot::shelf::use_another(std::size_t c) {
    if (unused != nullptr) {
        span& s = *unused;
        unlink(unused, s);
        --unused_spans;
        link(used, s);
    } else {
        link(used, *span::make(c, spans != 0));
        ++spans;
    }
}

// Nor more blocks than there are elsewhere: when nobody has any more, all memory can go.
void frame_depot::shelf::keep_no_more_than(std::size_t c, std::size_t most) noexcept {
    while (kept > most || static_cast<std::int64_t>(kept) * frame_class::batch(c) > out) {
        put_back(batches[oldest]);
        oldest = (oldest + 1) % batches.size();
        --kept;
    }
}

void frame_depot::shelf::put_back(frame_block* first) noexcept {
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
    while (unused_spans > 1 + used_spans() / 8) free_one();
}

void frame_depot::shelf::free_one() noexcept {
    span& s = *unused;
    unlink(unused, s);
    --unused_spans;
    --spans;
    span::free_memory(&s);
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

void frame_depot::span::free_memory(span* s) noexcept {
    ::operator delete(s, std::align_val_t{span_alignment});
}

frame_depot::span& frame_depot::span::of(frame_block* b) noexcept {
    const std::size_t offset = reinterpret_cast<std::uintptr_t>(b) & (span_alignment - 1);
    return *reinterpret_cast<span*>(reinterpret_cast<unsigned char*>(b) - offset);
}

frame_block* frame_depot::span::take(std::size_t c) noexcept {
    ++out;
    if (frame_block* b = free) {
        free = b->next;
        return b;
    }
    auto* memory = reinterpret_cast<unsigned char*>(this + 1) + cut++ * frame_class::bytes(c);
    return ::new (static_cast<void*>(memory)) frame_block{nullptr};
}

}  // namespace taskscope::detail
