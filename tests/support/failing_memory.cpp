// tests/support/failing_memory.cpp - replaces operator new of the program it is linked into.
// SPDX-License-Identifier: MIT
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>
#include <support/failing_memory.hpp>

namespace support {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

// Per thread, so that workers do not use up what was meant for the test.
thread_local std::int64_t allocations_left = never;
thread_local std::int64_t allocated = 0;
std::atomic<std::int64_t> in_use{0};

void* allocate(std::size_t bytes, std::align_val_t alignment = {}) {
    ++allocated;
    if (allocations_left != never && --allocations_left <= 0) throw std::bad_alloc();
    const auto align = static_cast<std::size_t>(alignment);
    void* const memory = align == 0 ? std::malloc(bytes) : std::aligned_alloc(align, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    in_use.fetch_add(static_cast<std::int64_t>(malloc_usable_size(memory)),
                     std::memory_order_relaxed);
    return memory;
}

void release(void* memory) noexcept {
    if (memory == nullptr) return;
    in_use.fetch_sub(static_cast<std::int64_t>(malloc_usable_size(memory)),
                     std::memory_order_relaxed);
    std::free(memory);
}

}  // namespace

failing_memory::failing_memory(std::int64_t k) noexcept { allocations_left = k; }
failing_memory::~failing_memory() { allocations_left = never; }

std::int64_t allocations() noexcept { return allocated; }
std::int64_t bytes_in_use() noexcept { return in_use.load(std::memory_order_relaxed); }

}  // namespace support

void* operator new(std::size_t bytes) { return support::allocate(bytes); }
void* operator new[](std::size_t bytes) { return support::allocate(bytes); }
void* operator new(std::size_t bytes, std::align_val_t a) { return support::allocate(bytes, a); }
void operator delete(void* memory, std::align_val_t) noexcept { support::release(memory); }
void operator delete(void* memory) noexcept { support::release(memory); }
void operator delete[](void* memory) noexcept { support::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { support::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { support::release(memory); }
