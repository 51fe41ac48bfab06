// <taskscope/manual_executor.hpp> - an executor without threads, whose clock moves when it is told to.
// SPDX-License-Identifier: MIT
//
// For tests: the same tasks, scopes and timers, one job after the other, in the order in which they became
// ready, on the thread that asks; no sleeping and no wall clock.
#pragma once

#include <taskscope/detail/time.hpp>
#include <taskscope/executor.hpp>

#include <chrono>
#include <cstddef>

namespace taskscope {

struct manual_options {
    bool trace_awaits = false;  ///< as in executor_options
};

/// Thread safety: jobs may be handed in from any thread; everything declared here, and run(), only from one
///   thread at a time.
class manual_executor : public executor {
public:
    explicit manual_executor(const manual_options& options = {})
        : executor(manual_tag{options.trace_awaits}) {}

    // run(t) drives until `t` has completed. When nothing is ready it moves the clock to the next timer; when
    // there is no timer either, and no run_blocking() call in progress, it terminates with a message.

    /// Runs jobs until none is ready; does not move the clock. Returns how many were run.
    std::size_t run_ready();

    /// Runs one job if one is ready.
    bool run_one();

    /// Moves the clock forward by `d`, stopping at each timer on the way to run what it makes ready.
    /// Returns how many jobs were run.
    template <class Rep, class Period>
    std::size_t advance(std::chrono::duration<Rep, Period> d) {
        return advance_to(detail::saturating_add(now(), d));
    }

    /// Whether no job is ready and no timer armed.
    bool idle() const noexcept;

private:
    std::size_t advance_to(clock::time_point t);
};

}  // namespace taskscope
