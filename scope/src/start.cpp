// scope/src/start.cpp - what a starter and its child decide, and who is told.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"

#include <taskscope/detail/scope_state.hpp>
#include <taskscope/start.hpp>

#include <string>
#include <utility>

namespace taskscope {

start_error::start_error(std::source_location where)
    : std::runtime_error("taskscope: the child started at " + detail::place(where) +
                         " has ended and never called its start_signal. It has to, when it is "
                         "ready; or spawn() it, if nobody needs to wait for that"),
      where_(where) {}

namespace detail {

// In `starting` from here until it is decided. The scope is there all the while: first its spawner sees to that,
// then the child, which is a member until end() has returned.
handshake::handshake(scope_state& s) noexcept : scope_(s) {
    s.count.starting.fetch_add(1, std::memory_order_relaxed);
}

// Under the mutex, so that set() has returned before end() does.
void handshake::decide(stage s) noexcept {
    stage_ = s;
    scope_.count.starting.fetch_sub(1, std::memory_order_relaxed);
    decided.set();
}

bool handshake::may_signal() const {
    if (stage_ == stage::signalled) {
        throw misuse_error(
            "taskscope: a start_signal was called twice. The starter has gone on with the first "
            "value.");
    }
    return stage_ == stage::waiting;
}

void handshake::set_signalled() noexcept { decide(stage::signalled); }

bool handshake::withdraw() noexcept {
    const std::lock_guard lock{mutex_};
    if (stage_ != stage::waiting) return false;
    stage_ = stage::withdrawn;
    return true;
}

bool handshake::end(settled<void> how) noexcept {
    const std::lock_guard lock{mutex_};
    if (stage_ == stage::signalled || stage_ == stage::ended) return false;
    unwanted_ = stage_ == stage::withdrawn;
    how_ = std::move(how);
    decide(stage::ended);
    return true;
}

settled<void> handshake::ending() const noexcept {
    return unwanted_ && !how_.has_error() ? settled<void>() : how_;
}

}  // namespace detail
}  // namespace taskscope
