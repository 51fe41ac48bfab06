// executor/src/barrier.cpp - the heavy half of the asymmetric barrier.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/barrier.hpp>

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace taskscope::detail {

void enable_asymmetric_barriers() noexcept {
    if (barriers_are_asymmetric.load(std::memory_order_relaxed)) return;
    if (::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0) {
        barriers_are_asymmetric.store(true, std::memory_order_relaxed);
    }
}

void full_fence() noexcept {
    // edge barrier.full: a store before it and a load after it, against the same in another thread.
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

void heavy_barrier() noexcept {
    if (barriers_are_asymmetric.load(std::memory_order_relaxed)) {
        // Out of memory for a moment, perhaps. Going on without the barrier could lose a wake-up.
        while (::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0)
            ::sched_yield();
    }
    full_fence();  // edge barrier.full: for ourselves, and against threads that still use fences
}

}  // namespace taskscope::detail
