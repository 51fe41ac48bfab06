// <taskscope/task_group.hpp> - task_group: the first error stops everyone, and all errors are thrown together.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/policies.hpp>
#include <taskscope/with_scope.hpp>

#include <concepts>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskscope {

struct group_options {
    std::string_view name = {};
    /// Whether a single error is thrown with a group around it, as several are.
    collect_errors::single single_error = collect_errors::single::grouped;
};

/// A scope with a policy: children that have to succeed together.
///
/// It has a task_scope with stack(fail_fast{}, collect_errors{}) and adds nothing to it: on the first error all
/// children, and the body, are asked to stop; when they have ended, join() throws every error there was in one
/// exception_group.
///
/// Thread safety: as task_scope.
class task_group final : public detail::spawn_verbs<task_group> {
public:
    explicit task_group(task_scope& parent, const group_options& options = {},
                        std::source_location where = std::source_location::current());
    explicit task_group(executor& home, const group_options& options = {},
                        std::source_location where = std::source_location::current());
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    /// Completes when the last child has ended.
    /// Throws: exception_group if there were errors, to the first caller that comes after them.
    /// Stop: not interrupted by one.
    [[nodiscard]] detail::join_awaiter join() { return scope_.join(); }

    /// For a thread, which it blocks. Throws as join(); misuse_error on a worker.
    void blocking_join() { scope_.blocking_join(); }

    void close() noexcept { scope_.close(); }
    bool request_stop(stop_kind kind = stop_kind::request, std::string_view text = {}) noexcept {
        return scope_.request_stop(kind, text);
    }
    bool has_errors() const noexcept { return scope_.has_errors(); }

    /// The scope it is made of: for looking, for child scopes, for shutdown.
    task_scope& scope() noexcept { return scope_; }

private:
    friend class detail::spawn_verbs<task_group>;
    friend struct detail::block_access<task_group>;

    task_group(const detail::task_context& context, const scope_options& options,
               std::source_location where)
        : scope_(detail::block_access<task_scope>::open(context, options, where)) {}

    detail::scope_state& state() noexcept { return detail::scope_access::state(scope_); }

    task_scope scope_;
};

namespace detail {

scope_options in_group(const group_options& options);

template <>
struct block_access<task_group> {
    static task_group open(const task_context& context, const scope_options& options,
                           std::source_location where) {
        return task_group(context, options, where);
    }
    static task_scope& scope(task_group& g) noexcept { return g.scope(); }
};

}  // namespace detail

/// `co_await with_group([&](task_group& g) -> task<T> {...})` opens a group below the current scope, runs the
/// body as its first child, and joins it. The body's error counts like a child's.
///
/// Returns: what the body returned, if nobody failed. Throws: exception_group.
/// Stop: is passed on to body and children. An error goes before a stop: what failed is never hidden by it.
/// Beware, Allocates: as with_scope(), and the policy.
template <class Body>
    requires detail::scope_body<Body, task_group>
auto with_group(Body&& body, std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Body);
    return detail::run_block<task_group, std::decay_t<Body>>(std::forward<Body>(body), {},
                                                             detail::in_group({}), where);
}

/// With a name.
template <class Body>
    requires detail::scope_body<Body, task_group>
auto with_group(std::string_view name, Body&& body,
                std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Body);
    return detail::run_block<task_group, std::decay_t<Body>>(
        std::forward<Body>(body), std::string(name), detail::in_group({}), where);
}

/// With options. Give them a name of their own before: g++ 12 would destroy a temporary twice.
template <class Options, class Body>
    requires std::same_as<std::remove_cvref_t<Options>, group_options> &&
             detail::scope_body<Body, task_group>
auto with_group(Options&& options, Body&& body,
                std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Options);
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Body);
    return detail::run_block<task_group, std::decay_t<Body>>(
        std::forward<Body>(body), std::string(options.name), detail::in_group(options), where);
}

}  // namespace taskscope
