// <taskscope/detail/frame_memory.hpp> - memory of coroutine frames and the like, recycled per thread.
// SPDX-License-Identifier: MIT
//
// Each thread keeps free blocks in stacks by size, at most 64 to 256 of each. What it lacks, or has too much of, it
// exchanges with the depot (src/frame_depot.hpp) by the batch, so that a frame may be freed on another thread
// than the one that made it, for ever, without a lock or a call of malloc for each.
//
// A stack is an array of pointers: a block that is kept is not touched, and need not be linked, nor counted
// (docs/decisions/0016-free-blocks-in-arrays.md).
//
// Source: Bonwick, Adams: Magazines and Vmem (USENIX 2001).
#pragma once

#include <taskscope/detail/atomic.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

namespace taskscope {

/// Memory of coroutine frames, of children's records and of forks over ranges in this process, by all executors.
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

/// Blocks of one size.
struct frame_class {
    static constexpr std::size_t count = 65;  // up to 1 KiB; there is none of 0 bytes

    static constexpr std::size_t of(std::size_t bytes) noexcept { return (bytes + 15) / 16; }
    static constexpr std::size_t bytes(std::size_t c) noexcept { return 16 * c; }
    /// The same, but 0 for sizes of which there is no list.
    static constexpr std::uint32_t listed(std::size_t bytes) noexcept {
        return of(bytes) < count ? static_cast<std::uint32_t>(of(bytes)) : 0;
    }
    static constexpr std::size_t most_in_batch = 128;
    /// How many a thread gets from the depot, or gives to it, at a time. It keeps at most twice as many.
    static constexpr std::size_t batch(std::size_t c) noexcept {
        return std::clamp<std::size_t>(2048 / c, 32, most_in_batch);  // up to 32 KiB
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
        if (c < frame_class::count) [[likely]] {
            stack& s = stacks_[c];
            void** const top = s.top.load(std::memory_order_relaxed);
            if (top != s.bottom) [[likely]] {
                s.top.store(top - 1, std::memory_order_relaxed);
                return top[-1];
            }
        }
        return allocate_elsewhere(bytes);
    }

    void free(void* memory, std::size_t bytes) noexcept {
        const std::size_t c = frame_class::of(bytes);
        if (c < frame_class::count) [[likely]] {
            stack& s = stacks_[c];
            void** const top = s.top.load(std::memory_order_relaxed);
            if (top != s.end) [[likely]] {
                *top = memory;
                s.top.store(top + 1, std::memory_order_relaxed);
                return;
            }
        }
        free_elsewhere(memory, bytes);
    }

    /// free() for several blocks of class `c`: where to put `n` of them, or nullptr if there is no room for all, as there
    /// never is for class 0.
    void** room_for(std::size_t c, std::size_t n) noexcept {
        stack& s = stacks_[c];
        void** const top = s.top.load(std::memory_order_relaxed);
        return static_cast<std::size_t>(s.end - top) < n ? nullptr : top;
    }
    /// Then: they are there, up to `top`.
    void keep_up_to(std::size_t c, void** top) noexcept {
        stacks_[c].top.store(top, std::memory_order_relaxed);
    }

private:
    friend frame_statistics taskscope::frames() noexcept;

    // Of one writer; `top` is atomic, because others read it. In one cache line.
    struct alignas(32) stack {
        void** bottom = nullptr;
        atomic<void**> top{nullptr};
        void** end = nullptr;
    };

    [[gnu::noinline]] void* allocate_elsewhere(std::size_t bytes);
    [[gnu::noinline]] void free_elsewhere(void* memory, std::size_t bytes) noexcept;
    void count_unlisted(std::int64_t n) noexcept;

    std::array<stack, frame_class::count> stacks_;
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
