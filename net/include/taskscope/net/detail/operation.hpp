// <taskscope/net/detail/operation.hpp> - an asynchronous operation of Asio's that a task awaits.
// SPDX-License-Identifier: MIT
//
// It lives in the frame of the task, in the awaiter. Three parties know it:
//
//   the task       starts the operation, arms the stop callback, suspends: await_suspend, on its worker
//   the handler    keeps the result and lets the task go on: on whoever runs the I/O context
//   the stop       has the operation told to end: also there, after a callback on any thread has asked for it
//
// Exactly one of them ends the wait: the handler, or, when it came while the operation was being told to end,
// the one who was telling. net/README.md, "A stop against a completion", has the argument.
#pragma once

#include <taskscope/detail/atomic.hpp>
#include <taskscope/detail/promise.hpp>
#include <taskscope/detail/suspension.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/stop_token.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/intrusive/list_hook.hpp>

#include <coroutine>
#include <cstdint>
#include <optional>

namespace taskscope::net::detail {

class asio_reactor;

using stop_hook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

class operation : public stop_hook {
public:
    operation(const operation&) = delete;
    operation& operator=(const operation&) = delete;

    // For the handler.

    boost::asio::cancellation_slot slot() noexcept { return signal_.slot(); }
    /// The result is stored. `aborted`: it says that the operation was cancelled.
    void completed(bool aborted) noexcept;
    /// The handler was destroyed and will never be called.
    void dropped() noexcept;

protected:
    operation() noexcept {}
    ~operation() = default;

    /// The task is about to start the operation, on an object that belongs to `where`.
    void begin(taskscope::detail::promise_base& p, boost::asio::execution_context& where) noexcept {
        where_ = &where;
        wait_.begin(p);
    }
    /// The operation was started. Returns what await_suspend returns.
    std::coroutine_handle<> arm() noexcept {
        // relaxed: a completion that we miss here is found by wait_.arm().
        if ((state_.load(std::memory_order_relaxed) & over) == 0) {
            stop_.emplace(wait_.task().context->stop, on_stop{this});
        }
        return wait_.arm();  // *this may be gone.
    }

private:
    friend class asio_reactor;

    struct on_stop {
        operation* self;
        void operator()() const noexcept;
    };

    static constexpr std::uint32_t over = 1;      // the handler was called or dropped
    static constexpr std::uint32_t stopping = 2;  // a stop was requested before that
    static constexpr std::uint32_t told = 4;      // the operation was told to end

    void end(taskscope::detail::outcome how) noexcept;

    taskscope::detail::suspension wait_;
    boost::asio::execution_context* where_ = nullptr;
    taskscope::detail::atomic<std::uint32_t> state_{0};
    taskscope::detail::outcome how_ = taskscope::detail::outcome::value;
    bool telling_ = false;  // just being told; guarded by the reactor's mutex
    bool left_ = false;     // ended while being told; guarded by the reactor's mutex
    boost::asio::cancellation_signal signal_;
    std::optional<stop_callback<on_stop>> stop_;
};

}  // namespace taskscope::net::detail
