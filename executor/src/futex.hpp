// executor/src/futex.hpp - blocking a thread on a 32-bit word.
// SPDX-License-Identifier: MIT
//
// Not std::atomic::wait, which has no time limit, nor a condition variable, whose signals glibc before 2.41
// can lose (glibc bug 25847).
#pragma once

#include <taskscope/detail/atomic.hpp>
#include <taskscope/detail/tsan.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>

namespace taskscope::detail {

static_assert(sizeof(atomic<std::uint32_t>) == 4, "the kernel looks at 32 bits");

/// Blocks while `word` is `expected`, or until woken, or for `limit`; may return for no reason.
inline void futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected,
                       std::chrono::nanoseconds limit = std::chrono::nanoseconds::max()) noexcept {
    timespec t{};
    const bool bounded = limit != std::chrono::nanoseconds::max();
    if (bounded) {
        t.tv_sec = static_cast<time_t>(limit.count() / 1'000'000'000);
        t.tv_nsec = static_cast<long>(limit.count() % 1'000'000'000);
    }
    ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, bounded ? &t : nullptr, nullptr, 0);
}

/// The same for threads that are not the executor's, where handlers of signals run. ThreadSanitizer defers a handler
/// until the thread calls something that it intercepts, which this kernel call is not: so there it wakes for that.
inline void futex_wait_as_guest(
    atomic<std::uint32_t>& word, std::uint32_t expected,
    std::chrono::nanoseconds limit = std::chrono::nanoseconds::max()) noexcept {
    if (tsan_listens()) [[unlikely]] {
        constexpr std::chrono::nanoseconds pause = std::chrono::milliseconds(10);
        limit = std::min(limit, hiding_limit(pause));
        ::usleep(0);
    }
    futex_wait(word, expected, limit);
}

/// Wakes one thread that waits on `word`, which may have ceased to exist: the kernel takes it as a number.
inline void futex_wake_one(atomic<std::uint32_t>* word) noexcept {
    ::syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace taskscope::detail
