// <taskscope/reactor.hpp> - what an idle worker waits in when there is I/O.
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

namespace taskscope {

/// A source of I/O completions that has no thread of its own. The executor calls poll() and wait() from
/// its workers, one call at a time; completions run inside these calls and schedule tasks.
class reactor {
public:
    using clock = std::chrono::steady_clock;

    virtual ~reactor() = default;

    /// Runs what is ready, without blocking. Returns whether anything was.
    virtual bool poll() noexcept = 0;

    /// Blocks until something is ready, interrupt() is called, or `limit` is over, and runs what is ready.
    /// An interrupt() that comes before wait() is not lost: wait() then returns at once.
    virtual void wait(clock::duration limit) noexcept = 0;

    /// Ends a wait(). Any thread, also with no wait() in progress.
    virtual void interrupt() noexcept = 0;

protected:
    reactor() = default;
    reactor(const reactor&) = default;
    reactor& operator=(const reactor&) = default;
};

}  // namespace taskscope
