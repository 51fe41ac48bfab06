// benchmarks/shared_writes/machine.hpp - a machine with a processor for each thread, of which one moves at a time.
// SPDX-License-Identifier: MIT
//
// Each thread has a clock. An operation on an atomic, on a mutex, or of the kernel's futexes moves it forward; the
// thread whose clock is behind all others goes on. So threads interleave as on a machine with a processor for each,
// however few there are. Meanwhile each line of memory remembers who wrote to it last and who has read it since.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <source_location>
#include <string>

namespace shared_writes {

/// What operations cost in this model, in nanoseconds. They decide who meets whom, and nothing that is counted here is
/// a time.
inline constexpr std::uint64_t hit_ns = 5;      ///< with what is computed around it
inline constexpr std::uint64_t miss_ns = 60;    ///< a line comes from another processor
inline constexpr std::uint64_t wake_ns = 5000;  ///< until a thread that was woken runs
inline constexpr std::uint64_t wakers_ns = 3000;
inline constexpr std::uint64_t barrier_ns = 2000;
inline constexpr std::uint64_t interrupted_ns = 1600;  ///< by somebody's membarrier

void read(const void* address, const std::source_location& at) noexcept;
void write(const void* address, const std::source_location& at) noexcept;
/// Computes, in its own memory.
void work(std::uint64_t ns) noexcept;

struct counts {
    std::uint64_t writes = 0;
    std::uint64_t moved = 0;       ///< of these, to a line that another thread has written last
    std::uint64_t taken_back = 0;  ///< to a line of its own that another has read since
    std::uint64_t fetched = 0;     ///< reads of a line that another has written since

    std::uint64_t misses() const noexcept { return moved + taken_back + fetched; }
    void add(const counts& other) noexcept;
};

struct report {
    std::map<std::string, counts> by_place;  ///< `class::function`
    counts all;
    std::uint64_t hottest_line = 0;  ///< most misses on one line
    std::uint64_t barriers = 0;      ///< calls of membarrier
    std::uint64_t wakes = 0;         ///< calls of FUTEX_WAKE
};

/// From here on every thread is simulated.
void begin();
/// Forgets what was counted so far, but not where the lines are.
void reset();
/// What was counted; threads run on as usual.
report end();

}  // namespace shared_writes
