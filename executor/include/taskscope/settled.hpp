// <taskscope/settled.hpp> - how a task ended, as a value: with a value, an error, or stopped.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/errors.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/task.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <functional>
#include <type_traits>
#include <utility>
#include <variant>

namespace taskscope {

/// One of the three completions of a task (docs/decisions/0001-three-completions.md). By default: stopped.
/// `T` as for task<T>. Copyable if `T` is.
template <class T>
class [[nodiscard]] settled {
    struct nothing {};
    using stored = std::conditional_t<
        std::is_void_v<T>, nothing,
        std::conditional_t<std::is_reference_v<T>,
                           std::reference_wrapper<std::remove_reference_t<T>>, T>>;

public:
    using value_type = T;

    settled() noexcept = default;
    explicit settled(std::exception_ptr error) noexcept
        : how_(std::in_place_index<2>, std::move(error)) {}

    bool is_stopped() const noexcept { return how_.index() == 0; }
    bool has_value() const noexcept { return how_.index() == 1; }
    bool has_error() const noexcept { return how_.index() == 2; }

    /// The value; rethrows the error; throws stopped_error if it was stopped.
    T take() && {
        if (has_error()) std::rethrow_exception(std::get<2>(std::move(how_)));
        if (is_stopped()) throw stopped_error{};
        if constexpr (!std::is_void_v<T>) return static_cast<T>(std::get<1>(std::move(how_)));
    }

    /// The value. Throws std::bad_variant_access if there is none.
    const stored& value() const
        requires(!std::is_void_v<T>)
    {
        return std::get<1>(how_);
    }

    /// Null if it has none.
    std::exception_ptr error() const noexcept {
        return has_error() ? *std::get_if<2>(&how_) : nullptr;
    }

    /// What `t` has ended with; empty means stopped. What moving the value throws is an error.
    static settled of(task<T>& t) noexcept {
        settled result;
        if (!t) return result;
        try {
            if constexpr (std::is_void_v<T>) {
                detail::task_access::promise(t).take();
                result.how_.template emplace<1>();
            } else {
                result.how_.template emplace<1>(detail::task_access::promise(t).take());
            }
        } catch (...) {
            result.how_.template emplace<2>(std::current_exception());
        }
        return result;
    }

private:
    std::variant<std::monostate, stored, std::exception_ptr> how_;
};

namespace detail {

template <class T>
class [[nodiscard]] settle_awaiter : settled_awaiter<T> {
public:
    using typename settled_awaiter<T>::taskscope_awaiter;
    using settled_awaiter<T>::settled_awaiter;
    using settled_awaiter<T>::await_ready;
    using settled_awaiter<T>::await_suspend;
    settled<T> await_resume() noexcept {
        return settled<T>::of(settled_awaiter<T>::await_resume());
    }
};

}  // namespace detail

/// `co_await settle(t)` runs `t` and gives how it ended. It does not throw what `t` threw, and goes on when `t`
/// was stopped.
///
/// Stop: is passed on to `t`. A stop that was meant for the caller too is still requested afterwards, and the
///   caller's next suspension sees it.
/// Allocates: nothing.
template <class T>
detail::settle_awaiter<T> settle(task<T> t) noexcept {
    return detail::settle_awaiter<T>(std::move(t));
}

}  // namespace taskscope
