// <taskscope/detail/barrier.hpp> - a full barrier whose cost is moved from the frequent to the rare side.
// SPDX-License-Identifier: MIT
//
// Two threads that each write and then read what the other wrote (Dekker's pattern) need a full barrier
// between write and read, on both sides. Where one side runs a million times more often than the other,
// the frequent side uses light_barrier() and the rare side heavy_barrier(). With Linux's membarrier(2)
// the light one orders the compiler only, and the heavy one makes every running thread of the process
// pass a full barrier (about 2 us). Without it both are sequentially consistent fences.
//
// Source: Goodwin, Dang, Lea, et al.: "Asymmetric fences", P1202 (asymmetric_thread_fence_light/heavy).
#pragma once

#include <taskscope/detail/atomic.hpp>

namespace taskscope::detail {

/// True once the process is registered for expedited membarriers. Relaxed: set before the first
/// worker starts and never cleared; who reads a stale `false` pays for a fence it did not need.
inline constinit atomic<bool> barriers_are_asymmetric{false};

/// Registers the process with the kernel. Idempotent; every executor calls it before it starts threads.
void enable_asymmetric_barriers() noexcept;

/// The sequentially consistent fence, out of line so that no user's translation unit holds a fence
/// (g++ warns about each one under ThreadSanitizer).
void full_fence() noexcept;

/// The rare side of the pair. About 2 us, and disturbs every running thread of the process.
void heavy_barrier() noexcept;

/// The frequent side of the pair for who knows that barriers are asymmetric, or goes on with a full_fence().
inline void compiler_barrier() noexcept {
    // edge barrier.full, with a heavy_barrier() alone: orders what the compiler does.
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// The frequent side of the pair.
inline void light_barrier() noexcept {
    if (barriers_are_asymmetric.load(std::memory_order_relaxed)) [[likely]] {
        compiler_barrier();
    } else {
        full_fence();
    }
}

}  // namespace taskscope::detail
