// <taskscope/scope_policy.hpp> - what a scope does when its children, and its body, have completed.
// SPDX-License-Identifier: MIT
//
// A task_scope tracks and stops; whatever else shall happen is a policy object given to it. task_group is a
// scope with two of those in <taskscope/policies.hpp>.
#pragma once

#include <taskscope/error_context.hpp>

#include <concepts>
#include <functional>
#include <initializer_list>
#include <memory>
#include <type_traits>
#include <utility>

namespace taskscope {

enum class completion_kind : unsigned char { value, error, stopped };

/// A child, or the body of a block, has completed.
struct child_completion {
    completion_kind kind;
    task_scope& scope;             ///< whose policy is asked
    const error_context* failure;  ///< null unless `kind` is error
};

/// What a policy has done about the error of a child. For values, stops and the body it makes no difference: what the
/// body threw, its block throws, unless the policy's result() throws something else.
enum class disposition : unsigned char {
    pass_on,  ///< nothing that is enough: the next policy of the stack is asked, then the scopes above
    handled,   ///< nobody else needs to know
    escalate,  ///< it counts as the error of a child of the scope above
};

/// A policy is a type with some of these members:
///
///     disposition child_completed(const child_completion&);  // once for each child, before it leaves the scope
///     disposition body_completed(const child_completion&);   // of with_scope()
///     disposition error_below(const error_context&);         // of a scope below, where nobody handled it
///     void result();                                         // what it throws, every join throws
///     static constexpr bool errors_only = true;              // child_completed only for errors: costs the others less
///
/// Or it is a function that takes a const error_context&: that handles the errors of children, here and below.
/// It is copied; one that keeps something keeps it in a place that its copies share.
///
/// Thread safety: children complete on all workers, so its members are called by several threads at once.
///   They should not block. If one throws, the error it was called for and what it threw go to the handler of the
///   root scope; join() is not held up.
template <class P>
concept policy_object = requires(P& p, const child_completion& c) {
    { p.child_completed(c) } -> std::same_as<disposition>;
} || requires(P& p, const child_completion& c) {
    { p.body_completed(c) } -> std::same_as<disposition>;
} || requires(P& p, const error_context& e) {
    { p.error_below(e) } -> std::same_as<disposition>;
} || requires(P& p) { p.result(); };

template <class F>
concept policy_function = std::is_invocable_v<F&, const error_context&>;

namespace detail {

struct policy_base {
    virtual ~policy_base() = default;
    virtual disposition child_completed(const child_completion&) { return disposition::pass_on; }
    virtual disposition body_completed(const child_completion&) { return disposition::pass_on; }
    virtual disposition error_below(const error_context&) { return disposition::pass_on; }
    virtual void result() {}
    /// Whether child_completed() is to be called for values and stops too.
    virtual bool wants_all() const noexcept { return false; }
};

template <class P>
struct policy_model final : policy_base {
    explicit policy_model(P p) : policy(std::move(p)) {}

    disposition child_completed(const child_completion& c) override {
        if constexpr (requires { policy.child_completed(c); }) {
            return policy.child_completed(c);
        } else {
            return policy_base::child_completed(c);
        }
    }
    disposition body_completed(const child_completion& c) override {
        if constexpr (requires { policy.body_completed(c); }) {
            return policy.body_completed(c);
        } else {
            return policy_base::body_completed(c);
        }
    }
    disposition error_below(const error_context& e) override {
        if constexpr (requires { policy.error_below(e); }) {
            return policy.error_below(e);
        } else {
            return policy_base::error_below(e);
        }
    }
    void result() override {
        if constexpr (requires { policy.result(); }) policy.result();
    }
    bool wants_all() const noexcept override {
        if constexpr (requires { P::errors_only; }) {
            return !P::errors_only;
        } else {
            return requires(P& p, const child_completion& c) { p.child_completed(c); };
        }
    }

    P policy;
};

template <class F>
struct handler_model final : policy_base {
    explicit handler_model(F f) : function(std::move(f)) {}

    disposition child_completed(const child_completion& c) override {
        return error_below(*c.failure);
    }
    disposition error_below(const error_context& e) override {
        std::invoke(function, e);
        return disposition::handled;
    }

    F function;
};

struct policy_access;

}  // namespace detail

/// Tag: errors of children set has_errors() and the counters, and nothing else.
struct ignore_errors_t {
    explicit ignore_errors_t() = default;
};
inline constexpr ignore_errors_t ignore_errors{};

/// Any policy. By default there is none: siblings go on (a supervisor, in the word of others), and an error goes to
/// the nearest scope above with a function for it; the root scope's prints it on standard error.
///
/// A handle: copies share the policy, and so do scopes that are given the same one. Allocates: the policy, once.
class scope_policy {
public:
    scope_policy() noexcept = default;
    scope_policy(ignore_errors_t) noexcept : ignores_(true) {}

    template <class P>
        requires policy_object<P> && (!std::same_as<std::remove_cvref_t<P>, scope_policy>)
    scope_policy(P policy)
        : policy_(std::make_shared<detail::policy_model<P>>(std::move(policy))) {}

    template <class F>
        requires policy_function<std::decay_t<F>> && (!policy_object<std::decay_t<F>>) &&
                 (!std::same_as<std::remove_cvref_t<F>, scope_policy>)
    scope_policy(F&& handler)
        : policy_(
              std::make_shared<detail::handler_model<std::decay_t<F>>>(std::forward<F>(handler))) {}

private:
    friend struct detail::policy_access;
    explicit scope_policy(std::shared_ptr<detail::policy_base> p) noexcept
        : policy_(std::move(p)) {}

    bool ignores_ = false;
    std::shared_ptr<detail::policy_base> policy_;
};

namespace detail {

struct policy_access {
    static bool ignores(const scope_policy& p) noexcept { return p.ignores_; }
    static bool wants_all(const scope_policy& p) noexcept {
        return p.policy_ != nullptr && p.policy_->wants_all();
    }
    /// Null if there is none.
    static const std::shared_ptr<policy_base>& get(const scope_policy& p) noexcept {
        return p.policy_;
    }
    static scope_policy make(std::shared_ptr<policy_base> p) noexcept {
        return scope_policy(std::move(p));
    }
};

scope_policy stack_of(std::initializer_list<scope_policy> policies);

}  // namespace detail

/// Several policies in one. Each is asked in turn, for an error until one does not pass it on; the results are asked
/// for in the same order, and the first that throws is the scope's.
template <class... Policies>
    requires(sizeof...(Policies) >= 2 && (std::convertible_to<Policies, scope_policy> && ...))
scope_policy stack(Policies... policies) {
    return detail::stack_of({scope_policy(std::move(policies))...});
}

}  // namespace taskscope
