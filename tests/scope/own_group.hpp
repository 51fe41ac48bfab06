// tests/scope/own_group.hpp - a task group as a user could write it, on the public surface of task_scope.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/task_group.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskscope::test::own {

/// Stops the scope on the first error, keeps the first errors, throws them at the join.
class group_policy {
public:
    static constexpr bool errors_only = true;

    disposition child_completed(const child_completion& c) {
        {
            const std::lock_guard lock{state_->mutex};
            if (state_->errors.size() < collect_errors::max_errors) {
                state_->errors.push_back(recorded_error::of(*c.failure));
            } else {
                ++state_->dropped;
            }
        }
        c.scope.request_stop();
        return disposition::handled;
    }
    disposition body_completed(const child_completion& c) {
        return c.failure != nullptr ? child_completed(c) : disposition::pass_on;
    }
    void result() {
        std::vector<recorded_error> errors;
        std::size_t dropped = 0;
        {
            const std::lock_guard lock{state_->mutex};
            errors.swap(state_->errors);
            dropped = std::exchange(state_->dropped, 0);
        }
        if (errors.empty()) return;
        std::string message = "taskscope: errors in " + errors.front().scope_path;
        throw exception_group(std::move(message), std::move(errors), dropped);
    }

private:
    struct state {
        std::mutex mutex;
        std::vector<recorded_error> errors;
        std::size_t dropped = 0;
    };
    std::shared_ptr<state> state_ = std::make_shared<state>();
};

class task_group {
public:
    template <class Above>
    explicit task_group(Above& above, const group_options& o = {})
        : own_(std::make_unique<task_scope>(
              above, scope_options{.name = o.name, .policy = group_policy{}})),
          scope_(*own_) {}
    /// For the scope of a block.
    struct block {};
    task_group(block, task_scope& s) : scope_(s) {}

    template <class... A>
    void spawn(A&&... a) {
        scope_.spawn(std::forward<A>(a)...);
    }
    template <class... A>
    [[nodiscard]] bool try_spawn(A&&... a) {
        return scope_.try_spawn(std::forward<A>(a)...);
    }
    template <class... A>
    auto spawn_future(A&&... a) {
        return scope_.spawn_future(std::forward<A>(a)...);
    }

    auto join() { return scope_.join(); }
    void blocking_join() { scope_.blocking_join(); }
    void close() noexcept { scope_.close(); }
    bool request_stop() noexcept { return scope_.request_stop(); }
    bool has_errors() const noexcept { return scope_.has_errors(); }
    task_scope& scope() noexcept { return scope_; }

private:
    std::unique_ptr<task_scope> own_;
    task_scope& scope_;
};

template <class Body>
auto with_group(std::string_view name, Body body) -> decltype(body(std::declval<task_group&>())) {
    // Children may run after the body has ended: what they refer to stays here until the join.
    std::unique_ptr<task_group> group;
    const auto in_scope = [&](task_scope& s) -> decltype(body(std::declval<task_group&>())) {
        group = std::make_unique<task_group>(task_group::block{}, s);
        return body(*group);
    };
    const scope_options options{.name = name, .policy = group_policy{}};
    co_return co_await with_scope(options, in_scope);
}

template <class Body>
auto with_group(Body body) -> decltype(body(std::declval<task_group&>())) {
    return with_group("group", std::move(body));
}

}  // namespace taskscope::test::own
