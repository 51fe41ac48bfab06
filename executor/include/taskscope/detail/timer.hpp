// <taskscope/detail/timer.hpp> - an entry of an executor's timer queue: a suspension with a deadline.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/suspension.hpp>
#include <taskscope/detail/time.hpp>

#include <cstddef>

namespace taskscope::detail {

struct timer_entry {
    static constexpr std::size_t not_queued = static_cast<std::size_t>(-1);
    using function = void (*)(timer_entry&) noexcept;

    timer_entry(suspension& w, function f) noexcept : wait(w), fired(f) {}

    suspension& wait;
    function fired;  ///< called once the queue has claimed the wait: decides it
    clock::time_point deadline;
    std::size_t index = not_queued;  ///< position in the queue; guarded by its mutex
    timer_entry* next_due = nullptr;
};

/// Puts the entry into the timer queue. From now on the queue may claim its wait and call `fired`.
/// Throws std::bad_alloc.
void arm_timer(executor& home, timer_entry& entry);

/// Takes the entry out, in O(log n), by whoever has claimed its wait against the queue.
void disarm_timer(executor& home, timer_entry& entry) noexcept;

}  // namespace taskscope::detail
