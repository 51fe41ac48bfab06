// <taskscope/detail/atomic.hpp> - the seam: every lock-free part names its atomics through here.
// SPDX-License-Identifier: MIT
//
// Production code gets std::atomic and its constants as they are written. The model checker, which runs the
// same sources in every order (tests/model), and the noise build, which delays threads at every atomic operation
// (tests/noise), define TASKSCOPE_ATOMIC_HEADER to a header that provides the same names.
#pragma once

#ifdef TASKSCOPE_ATOMIC_HEADER
#include TASKSCOPE_ATOMIC_HEADER
#else

#include <atomic>

namespace taskscope::detail {

template <class T>
using atomic = std::atomic<T>;

/// A constant that a model check replaces by `small`, so that what happens at the limit happens at all.
template <class T>
consteval T shrinkable(T usual, [[maybe_unused]] T small) {
    return usual;
}

/// Where a counter starts that may wrap. In tests: shortly before.
template <class T>
consteval T first_count() {
    return 0;
}

/// The limit of a wait that hides a wake-up that was lost. In tests: so long that it shows.
template <class Duration>
consteval Duration hiding_limit(Duration usual) {
    return usual;
}

}  // namespace taskscope::detail

#endif

namespace taskscope::detail {

/// Two threads that write to different objects closer than this disturb each other.
inline constexpr unsigned cache_line = 64;

/// The spatial prefetcher of x86 fetches lines in pairs.
inline constexpr unsigned cache_line_pair = 2 * cache_line;

}  // namespace taskscope::detail
