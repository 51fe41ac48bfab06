// <taskscope/spawn_future.hpp> - a handle on one child: its value, or its stop.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/async_event.hpp>
#include <taskscope/detail/child.hpp>
#include <taskscope/stopped.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace taskscope {

template <class T>
class child_handle;

namespace detail {

struct handle_access;

/// The record of a child with a handle. Two own it, and the result in it: the child until its end, and the handle.
/// Whoever lets go of the result last destroys it: the child while it is still a member, so that a join leaves
/// nothing behind. Whoever lets go of the record last destroys that.
template <class T>
struct future_child : child_of_task {
    using memory_function = void (*)(future_child&) noexcept;

    future_child(function end, memory_function f, scope_state& s, std::source_location at)
        : child_of_task(end, s, at),
          source(s.stop.token()),
          own_context(s.context),
          free_memory(f) {
        own_context.stop = source.token();
    }

    /// Keeps the result and lets go of scope and frame.
    void settle(promise_base* p) noexcept {
        if (p == nullptr) {
            result.set_stopped();
        } else if (p->result == outcome::error) {
            result.set_error(p->error);
        } else {
            keep_value(static_cast<task_promise<T>&>(*p));
        }
        source.detach();
        complete(*this, p);
        this->drop_locals();  // a handle may keep the record for long
    }

    void finish_settled() noexcept {
        scope_state& s = *scope;
        // edge future.drop, both halves, as everywhere here: who comes later destroys what the other one wrote.
        const bool unwanted = (state.fetch_or(settled, std::memory_order_acq_rel) & dropped) != 0;
        if (unwanted) result.reset();
        leave(s, this->membership());
        done_event.set();
        // edge future.drop
        if (unwanted ||
            (state.fetch_or(child_gone, std::memory_order_acq_rel) & handle_gone) != 0) {
            free_memory(*this);
        }
    }

    /// By the handle, which touches the record no more.
    void drop() noexcept {
        // edge future.drop
        if ((state.fetch_or(dropped, std::memory_order_acq_rel) & settled) == 0) return;
        result.reset();
        // edge future.drop
        if ((state.fetch_or(handle_gone, std::memory_order_acq_rel) & child_gone) != 0) {
            free_memory(*this);
        }
    }

    stop_source source;
    task_context own_context;
    memory_function free_memory;
    async_event done_event;
    result_storage<T> result;

private:
    static constexpr std::uint32_t settled = 1;     // the result is there
    static constexpr std::uint32_t dropped = 2;     // the handle does not want it any more
    static constexpr std::uint32_t child_gone = 4;  // these two: touches the record no more
    static constexpr std::uint32_t handle_gone = 8;

    atomic<std::uint32_t> state{0};

    void keep_value(task_promise<T>& promise) noexcept {
        if constexpr (std::is_void_v<T>) {
            result.set_value();
        } else {
            try {
                result.set_value(promise.take());
            } catch (...) {  // moving the value threw
                result.set_error(std::current_exception());
            }
        }
    }
};

template <class T>
struct future_task_child : future_child<T> {
    future_task_child(scope_state& s, std::source_location at)
        : future_child<T>(&future_task_child::finish, &future_task_child::free, s, at) {}

    static job* finish(receiver& r, promise_base* p) noexcept {
        auto& self = static_cast<future_task_child&>(r);
        self.settle(p);
        self.finish_settled();
        return nullptr;
    }
    static void free(future_child<T>& f) noexcept {
        record_memory<future_task_child>::destroy(static_cast<future_task_child*>(&f));
    }
};

template <class T, class F, class... Args>
struct future_callable_child : future_child<T> {
    template <class G, class... As>
    future_callable_child(scope_state& s, std::source_location at, G&& g, As&&... as)
        : future_child<T>(&future_callable_child::finish, &future_callable_child::free, s, at),
          held(std::in_place, std::forward<G>(g), std::forward<As>(as)...) {}

    auto call() { return (*held)(); }

    static job* finish(receiver& r, promise_base* p) noexcept {
        auto& self = static_cast<future_callable_child&>(r);
        self.settle(p);
        self.held.reset();  // before the member leaves, as for any child
        self.finish_settled();
        return nullptr;
    }
    static void free(future_child<T>& f) noexcept {
        record_memory<future_callable_child>::destroy(static_cast<future_callable_child*>(&f));
    }

    std::optional<bound_call<F, Args...>> held;
};

}  // namespace detail

/// How a child has ended that was asked to stop by child_handle::stop_and_join().
enum class stop_outcome : unsigned char {
    was_done,  ///< it had completed before
    stopped,
    completed,  ///< with a value all the same
    failed,     ///< with an error, which went to the scope's policy
};

/// A child whose value is wanted, or that may have to be stopped alone.
///
///     auto h = scope.spawn_future(fetch, url);
///     page p = co_await std::move(h);
///
/// Awaiting gives the child's value or rethrows its error. Dropping the handle is fine at any time: the child
/// goes on, and its value is destroyed.
/// Stop: awaiting completes as stopped if the awaiting task is asked to stop, and the child goes on; or if the
///   child was stopped (see stopped_as_optional below).
/// Thread safety: request_stop() and done() from any thread, against anything but moving or destroying the
///   handle.
template <class T>
class [[nodiscard]] child_handle {
public:
    child_handle(child_handle&& o) noexcept : child_(std::exchange(o.child_, nullptr)) {}
    child_handle& operator=(child_handle&& o) noexcept {
        std::swap(child_, o.child_);
        return *this;
    }
    ~child_handle() {
        if (child_ != nullptr) child_->drop();
    }

    /// Asks this child, and no other, to stop.
    void request_stop() noexcept { child_->source.request_stop(); }

    /// Asks this child to stop and waits until it has completed. Stop: waits all the same, for a child that is left
    /// behind could not be told from one that was forgotten; the caller's next suspension sees the stop.
    task<stop_outcome> stop_and_join() && { return stop_and_wait(std::move(*this)); }

    /// Whether the child has completed. Awaiting does not suspend then.
    bool done() const noexcept { return child_->done_event.is_set(); }

    /// The wait as a task, for combinators.
    task<T> as_task() && { return wait(std::move(*this)); }

    auto operator co_await() && {
        return detail::owned_task_awaiter<T>(std::move(*this).as_task());
    }

private:
    friend detail::handle_access;

    explicit child_handle(detail::future_child<T>* c) noexcept : child_(c) {}

    static task<T> wait(child_handle h) {
        co_await h.child_->done_event.wait();
        if (h.child_->result.how() == detail::outcome::stopped) co_await just_stopped();
        co_return h.child_->result.take();
    }

    static task<stop_outcome> stop_and_wait(child_handle h) {
        if (h.done()) co_return stop_outcome::was_done;
        h.request_stop();
        co_await h.child_->done_event.wait_shielded();
        switch (h.child_->result.how()) {
            case detail::outcome::stopped:
                co_return stop_outcome::stopped;
            case detail::outcome::error:
                co_return stop_outcome::failed;
            default:
                co_return stop_outcome::completed;
        }
    }

    detail::future_child<T>* child_;
};

/// The child's value, or nothing if it was stopped. For child_handle<void>: whether it was not stopped.
template <class T>
auto stopped_as_optional(child_handle<T> h) {
    return stopped_as_optional(std::move(h).as_task());
}

namespace detail {

struct handle_access {
    template <class T>
    static child_handle<T> make(future_child<T>* c) noexcept {
        return child_handle<T>(c);
    }
    /// Set when the child has left its scope.
    template <class T>
    static async_event& ended(child_handle<T>& h) noexcept {
        return h.child_->done_event;
    }
};

}  // namespace detail
}  // namespace taskscope
