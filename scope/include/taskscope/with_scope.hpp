// <taskscope/with_scope.hpp> - a scope for a block: opened, its body run as the first child, always joined.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/contract.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/task_scope.hpp>

#include <concepts>
#include <coroutine>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskscope {
namespace detail {

void body_enters(child& c) noexcept;
void body_leaves(child& c, promise_base* p) noexcept;

/// Runs a task as a member of a scope and goes on with the awaiting task however it completes.
template <class T>
class [[nodiscard]] body_awaiter : child {
public:
    using taskscope_awaiter = void;

    body_awaiter(task_scope& s, task<T>&& t, std::source_location at) noexcept
        : child(&body_awaiter::ended, scope_access::state(s), at), task_(std::move(t)) {}

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        parent_ = &h.promise();
        body_enters(*this);
        promise_base& p = task_access::promise(task_);
        p.context = &scope->context;
        p.reports_to = completion::receiver;
        p.recv = this;
        p.owner = &task_access::frame(task_);
        return this_worker()->bounce(p);  // through the loop, which switches to its context
    }
    /// The completed task; empty if it was stopped.
    task<T>& await_resume() noexcept { return task_; }

private:
    static job* ended(receiver& r, promise_base* p) noexcept {
        auto& self = static_cast<body_awaiter&>(r);
        body_leaves(self, p);
        return self.parent_;
    }

    task<T> task_;
    promise_base* parent_ = nullptr;
};

template <class Body, class Scope>
using body_value_t = typename std::invoke_result_t<std::decay_t<Body>&, Scope&>::value_type;

template <class Body, class Scope>
concept scope_body =
    requires(std::decay_t<Body>& body, Scope& s) { requires is_task_type<decltype(body(s))>; };

/// Whether a task has completed with an error, or was stopped.
template <class T>
bool went_wrong(task<T>& t) noexcept {
    return !t || task_access::promise(t).result == outcome::error;
}

template <class Body>
task<body_value_t<Body, task_scope>> run_in_scope(Body body, std::string name,
                                                  error_policy on_error,
                                                  std::source_location where) {
    const task_context& context = co_await get_context();
    task_scope scope =
        scope_access::open(context, {.name = name, .on_error = std::move(on_error)}, where);
    body_awaiter<body_value_t<Body, task_scope>> running(scope, body(scope), where);
    auto& done = co_await running;
    if (went_wrong(done)) scope.request_stop();
    co_await scope.join();
    if (!done) co_await just_stopped();
    co_return task_access::promise(done).take();
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
