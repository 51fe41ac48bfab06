// tests/support/launch.hpp - starts a task without waiting for it, and lets a test stop it.
// SPDX-License-Identifier: MIT
//
// What a scope does for one child, and no more: so that the executor's tests need no scope.
#pragma once

#include <taskscope/executor.hpp>
#include <taskscope/stop_token.hpp>
#include <taskscope/yield.hpp>

#include <atomic>
#include <cstdlib>
#include <utility>

namespace support {

/// A task that was handed to an executor. Its destructor wants it to have ended.
template <class T>
class launched : taskscope::detail::receiver {
    using access = taskscope::detail::task_access;

public:
    launched(taskscope::executor& home, taskscope::task<T> t, taskscope::stop_token parent = {})
        : receiver(&launched::end), stop_(parent), task_(std::move(t)) {
        context_.home = &home;
        context_.stop = stop_.token();
        auto& promise = access::promise(task_);
        promise.context = &context_;
        promise.reports_to = taskscope::detail::completion::receiver;
        promise.recv = this;
        promise.owner = &access::frame(task_);
        taskscope::detail::inject(home, promise);
    }
    launched(const launched&) = delete;
    launched& operator=(const launched&) = delete;
    ~launched() {
        if (!ended()) std::abort();
    }

    bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }
    /// Once it has ended.
    bool stopped() const noexcept { return !task_; }
    /// Once it has ended and was not stopped: its value, or rethrows its error.
    T take() { return access::promise(task_).take(); }

    bool request_stop() noexcept { return stop_.request_stop(); }

private:
    static taskscope::detail::job* end(receiver& r, taskscope::detail::promise_base*) noexcept {
        auto& self = static_cast<launched&>(r);
        self.ended_.store(true, std::memory_order_release);  // After this line self may be gone.
        return nullptr;
    }

    taskscope::stop_source stop_;
    taskscope::detail::task_context context_;
    taskscope::task<T> task_;
    std::atomic<bool> ended_{false};
};

}  // namespace support
