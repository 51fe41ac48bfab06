// <taskscope/detail/time.hpp> - arithmetic on time that stops at the ends instead of wrapping.
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

namespace taskscope::detail {

using clock = std::chrono::steady_clock;

/// `start + d`, or time_point::max() if that is later than the clock can say; `start` for negative `d`.
template <class Rep, class Period>
clock::time_point saturating_add(clock::time_point start,
                                 std::chrono::duration<Rep, Period> d) noexcept {
    using seconds = std::chrono::duration<double>;
    if (!(d > d.zero())) return start;
    if (seconds(d) >= seconds(clock::time_point::max() - start)) return clock::time_point::max();
    return start + std::chrono::duration_cast<clock::duration>(d);
}

/// `d` in the clock's unit, or duration::max() if that cannot say it; zero for negative `d`.
template <class Rep, class Period>
clock::duration saturated(std::chrono::duration<Rep, Period> d) noexcept {
    return saturating_add(clock::time_point(), d) - clock::time_point();
}

}  // namespace taskscope::detail
