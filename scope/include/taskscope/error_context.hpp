// <taskscope/error_context.hpp> - where a child's error goes: the policies of a scope.
// SPDX-License-Identifier: MIT
//
// The seed's three choices: to the executor's handler (the default, here inherited along the tree), ignored,
// or to a function of the scope's own, which gets the same context.
#pragma once

#include <exception>
#include <functional>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskscope {

class task_scope;

/// What a handler learns about an error. More members may be added. Views are valid during the call.
struct error_context {
    std::exception_ptr error;
    task_scope& scope;                ///< whose child failed
    std::string_view scope_path;      ///< such as "/app-a/handlers"
    std::string_view task_name;       ///< empty if the child has none
    std::source_location spawned_at;  ///< where the child was spawned
};

/// Called on the worker that ran the failing child, before the child's count is released; several handlers
/// of a scope may run at once. It should not block. If it throws, the original error goes to the handler of
/// the root scope.
using error_handler = std::function<void(const error_context&)>;

/// Tag: errors of children set has_errors() and the counters, and nothing else.
struct ignore_errors_t {
    explicit ignore_errors_t() = default;
};
inline constexpr ignore_errors_t ignore_errors{};

/// What a scope does with an error of a child. By default it goes to the nearest ancestor that has a handler;
/// the root scope's prints it on standard error.
class error_policy {
public:
    error_policy() noexcept = default;
    error_policy(ignore_errors_t) noexcept : kind_(kind::ignore) {}

    /// A handler, for this scope's children and, by inheritance, for those of scopes below.
    template <class F>
        requires std::is_invocable_v<F&, const error_context&> &&
                     (!std::is_same_v<std::remove_cvref_t<F>, error_policy>)
    error_policy(F&& handler) : kind_(kind::handle), handler_(std::forward<F>(handler)) {}

    /// A handler for this scope's own children only. What groups are made of.
    template <class F>
    static error_policy own(F&& handler) {
        error_policy p(std::forward<F>(handler));
        p.kind_ = kind::own;
        return p;
    }

    bool inherits() const noexcept { return kind_ == kind::inherit; }
    bool ignores() const noexcept { return kind_ == kind::ignore; }
    bool inheritable() const noexcept { return kind_ == kind::handle; }
    const error_handler& handler() const noexcept { return handler_; }

private:
    enum class kind : unsigned char { inherit, ignore, handle, own };

    kind kind_ = kind::inherit;
    error_handler handler_;
};

}  // namespace taskscope
