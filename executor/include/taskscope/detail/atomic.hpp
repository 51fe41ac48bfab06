// <taskscope/detail/atomic.hpp> - the seam: every lock-free part names its atomics through here.
// SPDX-License-Identifier: MIT
//
// Production code gets std::atomic. A model checker that wants to run the same headers under its own
// scheduler and memory defines TASKSCOPE_ATOMIC_HEADER to a header that provides the same names.
#pragma once

#ifdef TASKSCOPE_ATOMIC_HEADER
#include TASKSCOPE_ATOMIC_HEADER
#else

#include <atomic>

namespace taskscope::detail {

template <class T>
using atomic = std::atomic<T>;

}  // namespace taskscope::detail

#endif

namespace taskscope::detail {

/// Two threads that write to different objects closer than this disturb each other.
inline constexpr unsigned cache_line = 64;

/// The spatial prefetcher of x86 fetches lines in pairs.
inline constexpr unsigned cache_line_pair = 2 * cache_line;

}  // namespace taskscope::detail
