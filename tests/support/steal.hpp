// tests/support/steal.hpp - a thief, of either kind of deque or of a worker.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/fork_deque.hpp>
#include <taskscope/detail/job.hpp>
#include <taskscope/detail/worker.hpp>

#include <concepts>
#include <cstddef>
#include <span>

namespace support {

/// The oldest jobs, as many as `into` has room for and may be had at once; returns how many.
template <class Victim>
std::size_t steal_some(Victim& v, std::span<taskscope::detail::job*> into) {
    if constexpr (std::derived_from<Victim, taskscope::detail::fork_deque>) {
        into[0] = v.steal();
        return into[0] != nullptr ? 1 : 0;
    } else if constexpr (std::same_as<Victim, taskscope::detail::worker>) {
        return v.steal(into).jobs;
    } else {
        return v.steal(into);
    }
}

/// The oldest job, or nullptr.
template <class Victim>
taskscope::detail::job* steal_one(Victim& v) {
    taskscope::detail::job* j = nullptr;
    return steal_some(v, {&j, 1}) != 0 ? j : nullptr;
}

}  // namespace support
