// <taskscope/detail/frame_memory.hpp> - memory of coroutine frames and child records, recycled per worker.
// SPDX-License-Identifier: MIT
//
// Each worker keeps free blocks in lists by size, bounded in bytes. Every block comes from operator new
// and has the size of its class wherever it was made, so a frame that is destroyed on another worker
// simply joins that worker's lists: nothing is ever sent back, and no list is shared.
//
// Sizes are 16 c + 8 bytes: glibc's malloc adds 8 and rounds to 16, so these waste nothing.
#pragma once

#include <taskscope/detail/atomic.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

namespace taskscope {

/// Blocks of frame memory in use in this process, by all executors.
struct frame_statistics {
    std::int64_t live = 0;        ///< allocated and not freed
    std::uint64_t allocated = 0;  ///< ever
};

/// Thread safety: any thread; exact when no coroutine is being created or destroyed meanwhile.
frame_statistics frames() noexcept;

namespace detail {

class frame_cache {
public:
    frame_cache() noexcept;
    ~frame_cache();
    frame_cache(const frame_cache&) = delete;
    frame_cache& operator=(const frame_cache&) = delete;

    static constexpr std::size_t class_of(std::size_t bytes) noexcept { return (bytes + 7) / 16; }
    static constexpr std::size_t block_bytes(std::size_t size_class) noexcept {
        return 16 * size_class + 8;
    }

    /// Owner only. Throws std::bad_alloc.
    void* allocate(std::size_t bytes) {
        const std::size_t c = class_of(bytes);
        if (c < lists_.size() && lists_[c] != nullptr) [[likely]] {
            block* b = lists_[c];
            lists_[c] = b->next;
            cached_bytes_ -= block_bytes(c);
            bump(allocated_);
            return b;
        }
        void* fresh = ::operator new(block_bytes(c));
        bump(allocated_);
        return fresh;
    }

    /// Owner only.
    void free(void* memory, std::size_t bytes) noexcept {
        bump(freed_);
        const std::size_t c = class_of(bytes);
        if (c < lists_.size() && cached_bytes_ < max_cached_bytes) [[likely]] {
            lists_[c] = ::new (memory) block{lists_[c]};
            cached_bytes_ += block_bytes(c);
            return;
        }
        ::operator delete(memory);
    }

private:
    friend frame_statistics taskscope::frames() noexcept;

    struct block {
        block* next;
    };

    // 1 MiB and frames up to 1 KiB: from nowhere, but a fork-join tree 1 000 deep fits.
    static constexpr std::size_t max_cached_bytes = std::size_t{1} << 20;
    static constexpr std::size_t classes = 65;

    // One writer, so that a plain increment is enough; atomic, because others read it.
    static void bump(atomic<std::uint64_t>& counter) noexcept {
        counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    std::array<block*, classes> lists_{};
    std::size_t cached_bytes_ = 0;
    atomic<std::uint64_t> allocated_{0};
    atomic<std::uint64_t> freed_{0};
    frame_cache* next_ = nullptr;  // list of all caches, for frames()
    frame_cache* prev_ = nullptr;
};

/// From the cache of the worker we are on, else from operator new. Throws std::bad_alloc.
void* allocate_frame_elsewhere(std::size_t bytes);
void free_frame_elsewhere(void* memory, std::size_t bytes) noexcept;

}  // namespace detail
}  // namespace taskscope
