// executor/src/frame_depot.hpp - where threads exchange free blocks, and what gives memory back.
// SPDX-License-Identifier: MIT
//
// Blocks of one size are cut from spans. A block that comes back joins its span, found by masking its address,
// and a span that has no block out any more goes back to operator delete, but for a few. So memory
// follows what is in use, however frames of long and short lives were mixed, for a short lock per batch.
//
// A few batches that came back, no more than there are elsewhere, are kept as they are. Where one thread makes frames
// and another one frees them these go from one to the other, and nobody walks along blocks that are in the cache of
// somebody else. If there is no room for another batch its own blocks are linked, which were freed last by the thread that gives
// them: those that are kept may have come from elsewhere. The price: a batch at the bottom may stay for long, and the spans
// of its blocks with it.
//
// Nobody touches new memory, nor gives any back to the system, under the lock of a size: the others would wait for pages to
// be cleared. But for blocks that a thread had and never used when it ends: these are linked into their spans.
//
// A span is as large as a huge page, and as soon as so many blocks are out it asks to be one. Where a million frames are
// alive most of what a spawn costs is memory touched for the first time: a fault, and a walk through page tables, for
// every 4 KiB (docs/decisions/0006). Of a first span only what is used is touched.
//
// Source: Ghemawat, Menage: TCMalloc: Thread-Caching Malloc (its central free lists).
#pragma once

#include <taskscope/detail/frame_memory.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

namespace taskscope::detail {

/// Thread safety: any thread.
class frame_depot {
public:
    struct totals {
        std::int64_t out = 0;      ///< blocks that are not here
        std::size_t reserved = 0;  ///< bytes of all spans
    };

    /// Fills `into`, which has room for a batch at most, or its beginning, with one block at least; returns how many. The last
    /// is to be used first. Throws std::bad_alloc.
    std::size_t take(std::size_t c, std::span<void*> into);
    /// Takes back any number; a whole batch is kept as it is, if there is room.
    void give(std::size_t c, std::span<void* const> blocks) noexcept;

    totals count() const noexcept;

private:
    static constexpr std::size_t span_alignment = std::size_t{1} << 21;
    // Not more, or malloc would need another page for the rest.
    static constexpr std::size_t span_bytes = span_alignment - 64;

    /// One that is in its span, and was not always.
    struct free_block {
        free_block* next;
    };

    struct alignas(cache_line) span {
        span* next = nullptr;
        span* prev = nullptr;
        free_block* free = nullptr;
        std::uint32_t blocks = 0;
        std::uint32_t out = 0;
        std::uint32_t cut = 0;  // memory behind these blocks was never touched

        static span* make(std::size_t c, bool huge_page);
        static void free_all(span* list) noexcept;
        static span& of(void* block) noexcept;

        bool is_spent() const noexcept { return out == blocks; }
    };

    struct alignas(cache_line) shelf {
        mutable std::mutex mutex;  // guards what follows, and the spans
        span* used = nullptr;      // have blocks out, and blocks to give
        span* unused = nullptr;    // have none out
        std::size_t spans = 0;
        std::size_t unused_spans = 0;
        std::int64_t out = 0;
        std::array<std::array<void*, frame_class::most_in_batch>, 8>
            batches;  // whole ones that came back. Not cleared: 8 KiB for each size
        std::size_t kept = 0;

        std::size_t used_spans() const noexcept { return spans - unused_spans; }
        std::size_t take_touched(std::span<void*> into) noexcept;
        std::size_t cut(std::size_t c, std::span<void*> into) noexcept;
        // The spans that nobody needs any more go to `unneeded`.
        void put_back_batch(std::size_t c, span*& unneeded) noexcept;
        void put_back(std::span<void* const> blocks, span*& unneeded) noexcept;
    };

    static void link(span*& list, span& s) noexcept;
    static void unlink(span*& list, span& s) noexcept;

    std::array<shelf, frame_class::count> shelves_;
};

}  // namespace taskscope::detail
