// <taskscope/with_scope.hpp> - a scope for a block: opened, its body run as the first child, always joined.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/contract.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/task_scope.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskscope {
namespace detail {

void body_begins(child& c) noexcept;
void body_ends(child& c, promise_base* p) noexcept;

/// Runs the body of a scope, which holds it as a member from the beginning, and goes on with the awaiting task
/// however it completes.
template <class T>
class [[nodiscard]] body_awaiter : child {
public:
    using taskscope_awaiter = void;

    /// What calling `body` throws, before it is a coroutine, is the body's error too.
    template <class Body, class Argument>
    body_awaiter(task_scope& s, Body& body, Argument& argument, std::source_location at) noexcept
        : child(&body_awaiter::ended, scope_access::state(s), at),
          task_(task_access::make<T>(nullptr)) {
        try {
            task_ = body(argument);
            if (!task_) throw_empty_task();
        } catch (...) {
            early_error_ = std::current_exception();
            scope->leave();
        }
    }

    bool await_ready() const noexcept { return early_error_ != nullptr; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        parent_ = &h.promise();
        body_begins(*this);
        promise_base& p = task_access::promise(task_);
        p.context = &scope->context;
        p.reports_to = completion::receiver;
        p.recv = this;
        p.owner = &task_access::frame(task_);
        return this_worker()->bounce(p);  // through the loop, which switches to its context
    }
    static void await_resume() noexcept {}

    // How it has completed.

    bool stopped() const noexcept { return !task_ && early_error_ == nullptr; }
    /// Null if there is none.
    std::exception_ptr error() noexcept {
        if (!task_) return early_error_;
        promise_base& p = task_access::promise(task_);
        return p.result == outcome::error ? p.error : nullptr;
    }
    /// The value; rethrows the error. Not if it was stopped.
    T take() {
        if (early_error_ != nullptr) std::rethrow_exception(std::move(early_error_));
        return task_access::promise(task_).take();
    }

private:
    static job* ended(receiver& r, promise_base* p) noexcept {
        auto& self = static_cast<body_awaiter&>(r);
        body_ends(self, p);
        return self.parent_;
    }

    task<T> task_;
    std::exception_ptr early_error_;
    promise_base* parent_ = nullptr;
};

template <class Body, class Scope>
using body_value_t = typename std::invoke_result_t<std::decay_t<Body>&, Scope&>::value_type;

template <class Body, class Scope>
concept scope_body =
    requires(std::decay_t<Body>& body, Scope& s) { requires is_task_type<decltype(body(s))>; };

template <class Body>
task<body_value_t<Body, task_scope>> run_in_scope(Body body, std::string name,
                                                  error_policy on_error,
                                                  std::source_location where) {
    const task_context& context = co_await get_context();
    task_scope scope =
        scope_access::open(context, {.name = name, .on_error = std::move(on_error)}, where);
    body_awaiter<body_value_t<Body, task_scope>> running(scope, body, scope, where);
    co_await running;
    if (running.stopped() || running.error() != nullptr) scope.request_stop();
    co_await scope_access::join(scope);
    if (running.stopped()) co_await just_stopped();
    co_return running.take();
}

}  // namespace detail

/// `co_await with_scope([&](task_scope& s) -> task<T> {...})` opens a scope below the current one, runs the body
/// as its first child, waits until every child has completed, and gives what the body returned.
///
/// Within the body and its children the new scope is the current one.
/// Errors: an error of the body asks the children to stop and is rethrown here when they have ended. Errors of
///   children go to the scope's policy.
/// Stop: is passed on to body and children; when all have ended this completes as stopped too, if the body was.
///   A body that completes as stopped asks the children to stop.
/// Beware: locals of the body die when the body ends, and children may still be running then. Declare what they
///   borrow outside the body.
/// Allocates: the scope's state, and two frames.
template <class Body>
    requires detail::scope_body<Body, task_scope>
auto with_scope(Body&& body, std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Body);
    return detail::run_in_scope<std::decay_t<Body>>(std::forward<Body>(body), {}, {}, where);
}

/// With a name.
template <class Body>
    requires detail::scope_body<Body, task_scope>
auto with_scope(std::string_view name, Body&& body,
                std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Body);
    return detail::run_in_scope<std::decay_t<Body>>(std::forward<Body>(body), std::string(name), {},
                                                    where);
}

/// With options. Give them a name of their own before: g++ 12 would destroy a temporary twice.
template <class Options, class Body>
    requires std::same_as<std::remove_cvref_t<Options>, scope_options> &&
             detail::scope_body<Body, task_scope>
auto with_scope(Options&& options, Body&& body,
                std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Options);
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Body);
    return detail::run_in_scope<std::decay_t<Body>>(
        std::forward<Body>(body), std::string(options.name), options.on_error, where);
}

}  // namespace taskscope
