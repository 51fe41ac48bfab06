// executor/src/frame_depot.cpp - spans, and the blocks cut from them.
// SPDX-License-Identifier: MIT
#include "frame_depot.hpp"

#include <taskscope/detail/pause.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <new>
#include <utility>

namespace taskscope::detail {

std::size_t frame_depot::take(std::size_t c, std::span<void*> into) {
    shelf& s = shelves_[c];
    span* unneeded = nullptr;
    std::unique_lock lock = patiently(s.mutex);
    if (s.kept != 0 && into.size() == frame_class::batch(c)) {
        s.out += std::ssize(into);
        std::copy_n(s.batches[--s.kept].begin(), into.size(), into.begin());
        return into.size();
    }
    if (s.used == nullptr && s.unused == nullptr && s.kept != 0) s.put_back_batch(c, unneeded);
    if (s.used == nullptr && s.unused == nullptr) {
        const bool huge_page =
            static_cast<std::size_t>(s.out) * frame_class::bytes(c) >= span_bytes / 2;
        lock.unlock();
        span* const fresh = span::make(c, huge_page);
        lock = patiently(s.mutex);
        link(s.used, *fresh);
        ++s.spans;
    }
    std::size_t n = s.take_touched(into);
    n += s.cut(c, into.subspan(n));
    s.out += static_cast<std::int64_t>(n);
    lock.unlock();
    span::free_all(unneeded);
    return n;
}

void frame_depot::give(std::size_t c, std::span<void* const> blocks) noexcept {
    if (blocks.empty()) return;
    shelf& s = shelves_[c];
    span* unneeded = nullptr;
    {
        const std::unique_lock lock = patiently(s.mutex);
        s.out -= std::ssize(blocks);
        if (blocks.size() == frame_class::batch(c) && s.kept != s.batches.size()) {
            std::ranges::copy(blocks, s.batches[s.kept++].begin());
        } else {
            s.put_back(blocks, unneeded);
        }
        // When nobody has any more, all memory can go.
        while (static_cast<std::int64_t>(s.kept * frame_class::batch(c)) > s.out)
            s.put_back_batch(c, unneeded);
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
std::size_t frame_depot::shelf::take_touched(std::span<void*> into) noexcept {
    std::size_t n = 0;
    while (n < into.size()) {
        if (used == nullptr) {
            if (unused == nullptr || n != 0) break;
            span& s = *unused;
            unlink(unused, s);
            --unused_spans;
            link(used, s);
        }
        span& from = *used;
        if (from.free == nullptr) break;
        into[n++] = std::exchange(from.free, from.free->next);
        ++from.out;
        if (from.is_spent()) unlink(used, from);
    }
    return n;
}

// Blocks that never were: their memory is not touched here either. The first is the last.
std::size_t frame_depot::shelf::cut(std::size_t c, std::span<void*> into) noexcept {
    if (used == nullptr || into.empty()) return 0;
    span& from = *used;
    const std::size_t n = std::min<std::size_t>(into.size(), from.blocks - from.cut);
    auto* const first =
        reinterpret_cast<unsigned char*>(&from + 1) + from.cut * frame_class::bytes(c);
    for (std::size_t i = 0; i < n; ++i) into[n - 1 - i] = first + i * frame_class::bytes(c);
    from.cut += static_cast<std::uint32_t>(n);
    from.out += static_cast<std::uint32_t>(n);
    if (from.is_spent()) unlink(used, from);
    return n;
}

void frame_depot::shelf::put_back_batch(std::size_t c, span*& unneeded) noexcept {
    put_back(std::span{batches[--kept]}.first(frame_class::batch(c)), unneeded);
}

void frame_depot::shelf::put_back(std::span<void* const> blocks, span*& unneeded) noexcept {
    for (void* const b : blocks) {
        span& home = span::of(b);
        if (home.is_spent()) link(used, home);
        home.free = ::new (b) free_block{home.free};
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

frame_depot::span& frame_depot::span::of(void* block) noexcept {
    const std::size_t offset = reinterpret_cast<std::uintptr_t>(block) & (span_alignment - 1);
    return *reinterpret_cast<span*>(static_cast<unsigned char*>(block) - offset);
}

}  // namespace taskscope::detail
