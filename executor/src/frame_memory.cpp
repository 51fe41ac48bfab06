// executor/src/frame_memory.cpp - the list of all frame caches, and frames made outside the workers.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/frame_memory.hpp>

#include <mutex>

namespace taskscope {
namespace detail {
namespace {

// Function-local and never destroyed: frames may be freed after main() has returned.
struct registry {
    std::mutex mutex;
    frame_cache* first = nullptr;
    std::uint64_t allocated = 0;  // by caches that are gone
    std::uint64_t freed = 0;
    atomic<std::uint64_t> allocated_elsewhere{0};
    atomic<std::uint64_t> freed_elsewhere{0};
};

registry& all_caches() noexcept {
    alignas(registry) static unsigned char memory[sizeof(registry)];
    static registry* const r = ::new (static_cast<void*>(memory)) registry;
    return *r;
}

}  // namespace

frame_cache::frame_cache() noexcept {
    registry& all = all_caches();
    const std::lock_guard lock{all.mutex};
    next_ = all.first;
    if (next_ != nullptr) next_->prev_ = this;
    all.first = this;
}

frame_cache::~frame_cache() {
    for (block* b : lists_) {
        while (b != nullptr) {
            block* next = b->next;
            ::operator delete(b);
            b = next;
        }
    }
    registry& all = all_caches();
    const std::lock_guard lock{all.mutex};
    if (next_ != nullptr) next_->prev_ = prev_;
    (prev_ != nullptr ? prev_->next_ : all.first) = next_;
    all.allocated += allocated_.load(std::memory_order_relaxed);
    all.freed += freed_.load(std::memory_order_relaxed);
}

void* allocate_frame_elsewhere(std::size_t bytes) {
    void* memory = ::operator new(frame_cache::block_bytes(frame_cache::class_of(bytes)));
    all_caches().allocated_elsewhere.fetch_add(1, std::memory_order_relaxed);
    return memory;
}

void free_frame_elsewhere(void* memory, std::size_t) noexcept {
    ::operator delete(memory);
    all_caches().freed_elsewhere.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace detail

frame_statistics frames() noexcept {
    detail::registry& all = detail::all_caches();
    const std::lock_guard lock{all.mutex};
    // Freed before allocated: a frame freed meanwhile must not be counted as freed only.
    std::uint64_t freed = all.freed + all.freed_elsewhere.load(std::memory_order_relaxed);
    for (const detail::frame_cache* c = all.first; c != nullptr; c = c->next_) {
        freed += c->freed_.load(std::memory_order_relaxed);
    }
    std::uint64_t allocated =
        all.allocated + all.allocated_elsewhere.load(std::memory_order_relaxed);
    for (const detail::frame_cache* c = all.first; c != nullptr; c = c->next_) {
        allocated += c->allocated_.load(std::memory_order_relaxed);
    }
    return {static_cast<std::int64_t>(allocated - freed), allocated};
}

}  // namespace taskscope
