// tests/model/checker/shadow.hpp - who touched which byte when: data races, and memory that is gone.
// SPDX-License-Identifier: MIT
//
// Three regions are watched: the heap of the modelled program, the stacks of its threads, and the globals of
// this executable. Every eight bytes have a cell with the last accesses. Two accesses to the same byte, one of
// them a write and not both atomic, must be ordered. To free a block, or to end the life of an atomic, is a
// write: an access that is not ordered before it is reported in whichever order the two are run.
//
// Globals get back the value they had before the run, so that all runs begin alike.
#pragma once

#include "memory.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace model {

enum class touch : std::uint8_t { read, write, atomic_read, atomic_write, end };

constexpr bool is_atomic(touch t) noexcept {
    return t == touch::atomic_read || t == touch::atomic_write;
}
constexpr bool is_write(touch t) noexcept {
    return t == touch::write || t == touch::atomic_write || t == touch::end;
}

class shadow {
public:
    struct problem {
        const char* what = nullptr;  // null: none
        std::uintptr_t address = 0;
        touch earlier = touch::read;  // the other access, if there is one
        unsigned thread = 0;
        const void* where = nullptr;
    };

    shadow();

    void begin_run();

    /// `forget` is told the address of each variable with atomic accesses that is written plainly.
    problem access(unsigned thread, const clocks& now, std::uintptr_t address, std::size_t size,
                   touch kind, const void* where, memory& atomics);

    // The heap: a new block never lies where an older one of the same run was.

    void* allocate(std::size_t size, std::size_t alignment);
    bool owns(const void* p) const noexcept;
    problem free(unsigned thread, const clocks& now, void* memory_block, const void* where,
                 memory& atomics);
    /// Blocks still allocated, and the size of one of them.
    std::size_t live_blocks() const noexcept { return live_; }
    std::size_t a_live_size() const noexcept;

    static constexpr std::size_t stack_bytes = std::size_t{256} << 10;
    char* stack(unsigned thread) const noexcept { return stacks_ + thread * stack_bytes; }

private:
    struct entry {
        std::uint32_t when;
        std::uint8_t thread;
        touch kind;
        std::uint8_t bytes;  // one bit for each
        const void* where;
    };
    struct cell {
        std::uint32_t run;
        std::uint8_t count;
        bool allocated;
        bool freed;
        bool has_atomic;
        bool saved;
        std::array<entry, 8> entries;
    };
    struct region {
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        cell* cells = nullptr;
    };
    struct block {
        std::uintptr_t begin;
        std::size_t size;
        bool live;
    };

    struct old_value {
        std::uintptr_t address;
        std::uint64_t value;
    };

    static void watch(region& r, void* begin, std::size_t bytes);
    cell* find(std::uintptr_t address) noexcept;
    cell& fresh(cell& c) noexcept;
    problem note(cell& c, unsigned thread, const clocks& now, std::uint8_t bytes, touch kind,
                 const void* where) noexcept;

    static constexpr std::size_t heap_bytes = std::size_t{16} << 20;

    std::array<region, 3> regions_;  // heap, stacks, globals
    std::vector<old_value> globals_before_;
    char* heap_ = nullptr;
    char* stacks_ = nullptr;
    std::size_t heap_used_ = 0;
    std::vector<block> blocks_;
    std::size_t live_ = 0;
    std::uint32_t run_ = 0;
};

}  // namespace model
