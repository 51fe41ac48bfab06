// <taskscope/detail/frame_memory.hpp> - memory of coroutine frames and child records, recycled per thread.
// SPDX-License-Identifier: MIT
//
// Each thread keeps free blocks in lists by size, a few dozen of each. What it lacks, or has too much of, it
// exchanges with the depot (src/frame_depot.hpp) by the batch, so that a frame may be freed on another thread
// than the one that made it, for ever, without a lock or a call of malloc for each.
#pragma once

#include <taskscope/detail/atomic.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

namespace taskscope {

/// Memory of coroutine frames and of children's records in this process, by all executors.
///
/// Blocks are recycled, but not under AddressSanitizer, nor if the environment says TASKSCOPE_RECYCLE_FRAMES=0: so
/// that tools find the use of a frame that is gone.
struct frame_statistics {
    std::int64_t live = 0;  ///< blocks in use
    std::int64_t kept = 0;  ///< blocks that threads keep for their next frames
    std::size_t reserved =
        0;  ///< bytes of address space behind them, but for blocks of more than 1 KiB
};

/// Thread safety: any thread; exact when no coroutine is being created or destroyed meanwhile.
frame_statistics frames() noexcept;

namespace detail {

/// A free block. Its memory is that of a frame or record that is gone.
struct frame_block {
    frame_block* next;
};

/// Blocks of one size.
struct frame_class {
    static constexpr std::size_t count = 65;  // up to 1 KiB; there is none of 0 bytes

    static constexpr std::size_t of(std::size_t bytes) noexcept { return (bytes + 15) / 16; }
    static constexpr std::size_t bytes(std::size_t c) noexcept { return 16 * c; }
    /// The same, but 0 for sizes of which there is no list.
    static constexpr std::uint32_t listed(std::size_t bytes) noexcept {
        return of(bytes) < count ? static_cast<std::uint32_t>(of(bytes)) : 0;
    }
    /// How many a thread gets from the depot, or gives to it, at a time. It keeps at most twice as many.
    static constexpr std::int64_t batch(std::size_t c) noexcept {
        return std::clamp<std::int64_t>(2048 / static_cast<std::int64_t>(c), 32,
                                        64);  // up to 32 KiB
    }
};

class frame_cache {
public:
    frame_cache() noexcept;
    /// One that has nothing and keeps nothing: stands for a thread's that is not there.
    struct none {};
    constexpr explicit frame_cache(none) noexcept {}
    ~frame_cache();
    frame_cache(const frame_cache&) = delete;
    frame_cache& operator=(const frame_cache&) = delete;

    /// Throws std::bad_alloc.
    void* allocate(std::size_t bytes) {
        const std::size_t c = frame_class::of(bytes);
        if (c < frame_class::count && lists_[c].first != nullptr) [[likely]] {
            list& l = lists_[c];
            frame_block* b = l.first;
            l.first = b->next;
            __builtin_prefetch(l.first, 1);  // may come from another processor: it is next
            add(l.room, 1);
            return b;
        }
        return allocate_elsewhere(bytes);
    }

    void free(void* memory, std::size_t bytes) noexcept {
        const std::size_t c = frame_class::of(bytes);
        if (c < frame_class::count) [[likely]] {
            list& l = lists_[c];
            const std::int64_t room = l.room.load(std::memory_order_relaxed);
            if (room > 0) [[likely]] {
                l.first = ::new (memory) frame_block{l.first};
                l.room.store(room - 1, std::memory_order_relaxed);
                return;
            }
        }
        free_elsewhere(memory, bytes);
    }

    /// free() for `n` blocks of class `c`, linked from `first` to `last`, whose `next` is null.
    void free_all(std::size_t c, frame_block* first, frame_block* last, std::int64_t n) noexcept {
        list& l = lists_[c];
        const std::int64_t room = l.room.load(std::memory_order_relaxed);
        if (room < n) [[unlikely]]
            return free_each(c, first);
        last->next = l.first;
        l.first = first;
        l.room.store(room - n, std::memory_order_relaxed);
    }

private:
    friend frame_statistics taskscope::frames() noexcept;

    struct list {
        frame_block* first = nullptr;
        atomic<std::int64_t> room{0};  // how many more are kept
    };

    // One writer, so that a plain addition is enough; atomic, because others read it.
    static void add(atomic<std::int64_t>& n, std::int64_t d) noexcept {
        n.store(n.load(std::memory_order_relaxed) + d, std::memory_order_relaxed);
    }

    [[gnu::noinline]] void* allocate_elsewhere(std::size_t bytes);
    [[gnu::noinline]] void free_elsewhere(void* memory, std::size_t bytes) noexcept;
    [[gnu::noinline]] void free_each(std::size_t c, frame_block* first) noexcept;
    void give_batch(std::size_t c) noexcept;

    std::array<list, frame_class::count> lists_;
    atomic<std::int64_t> unlisted_{
        0};  // live blocks of other sizes: allocated here, less those freed here
    frame_cache* next_ = nullptr;  // list of all caches, for frames()
    frame_cache* prev_ = nullptr;
};

/// This thread's; the one of nobody until it first allocates, when it has ended, and while a frame_meter looks.
extern constinit thread_local frame_cache* thread_frames [[gnu::tls_model("initial-exec")]];

/// Never keep the answer across a suspension.
inline frame_cache* this_threads_frames() noexcept {
    frame_cache* f = thread_frames;
    asm volatile(""
                 : "+r"(f)::"memory");  // a coroutine may resume on another thread: read it again
    return f;
}

/// How a promise learns of which class its block is: operator new says it, and the constructor, which is next, takes it
/// away, so that a coroutine whose frame the compiler has put elsewhere, without operator new, finds 0. Compilers see
/// both, and pass a constant. A type of its own, which no other store can mean.
struct block_class {
    std::uint32_t listed = 0;
};
extern constinit thread_local block_class newest_block [[gnu::tls_model("initial-exec")]];

/// Any thread. Throws std::bad_alloc.
inline void* allocate_frame(std::size_t bytes) { return this_threads_frames()->allocate(bytes); }

/// Any thread, also another one than that which allocated. `bytes` as then.
inline void free_frame(void* memory, std::size_t bytes) noexcept {
    this_threads_frames()->free(memory, bytes);
}

}  // namespace detail
}  // namespace taskscope
