// <taskscope/net/use_task.hpp> - the completion token that lets a task await what Asio and Beast start.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/net/detail/operation.hpp>
#include <taskscope/net/io.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/query.hpp>

#include <concepts>
#include <coroutine>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace taskscope::net {

/// Completion token: an operation with the signature void(R...) becomes something a task can await.
///
///     auto [error, n] = co_await socket.async_read_some(buffer, use_task);
///
/// Gives: a std::tuple<R...>; for one R its value, for none nothing. An error_code is a value, nothing is thrown.
/// Effects: starts the operation when it is awaited, once. The task goes on at its own executor, whoever runs
///   the object's I/O context.
/// Stop: the operation is cancelled (cancellation_type::terminal) and the task completes as stopped, but only
///   after the operation has ended: buffers and objects are in use until then. If it came to its end before it
///   could be cancelled its result is given. A stop that was requested before the await starts nothing. Operations
///   that Asio cannot cancel one by one, such as async_resolve, are waited for.
///   To be stopped the object must belong to the context() of an executor. On an I/O context of yours operations
///   work and are not interrupted.
/// Beware: an I/O object belongs to one task at a time, and so does what it keeps to itself. A beast::tcp_stream
///   with a timeout, whose timer runs on another worker, does not qualify; stop the task when the time is over.
/// Errors: what the start of the operation throws, mostly std::bad_alloc.
/// Allocates: nothing of its own; Asio does, for most operations.
struct use_task_t {
    explicit use_task_t() = default;
};

inline constexpr use_task_t use_task{};

namespace detail {

template <class T>
concept has_executor = requires(const T& object) { object.get_executor(); };
template <class T>
concept points_to_executor = requires(const T& pointer) { pointer->get_executor(); };

/// Where an Asio executor runs things.
template <class Executor>
boost::asio::execution_context& context_behind(const Executor& e) {
    if constexpr (boost::asio::can_query_v<const Executor&, boost::asio::execution::context_t>) {
        return boost::asio::query(e, boost::asio::execution::context);
    } else {
        return e.context();
    }
}

/// The context of the object that an operation is started on. Asio's initiations know it, Beast passes a pointer
/// to the object; nullptr if neither.
inline boost::asio::execution_context* find_context() { return nullptr; }
template <class T, class... Others>
boost::asio::execution_context* find_context(const T& first, const Others&... others) {
    if constexpr (has_executor<T>) {
        return &context_behind(first.get_executor());
    } else if constexpr (points_to_executor<T>) {
        return &context_behind(first->get_executor());
    } else {
        return find_context(others...);
    }
}
template <class... Ts>
inline constexpr bool finds_context = ((has_executor<Ts> || points_to_executor<Ts>) || ...);

/// What an awaited operation leaves behind.
template <class... R>
class result_operation : public operation {
public:
    template <class... As>
    void complete(As&&... as) {
        completed(aborted(result_.emplace(std::forward<As>(as)...)));
    }

protected:
    std::tuple<R...>& result() noexcept {
        return *result_;  // NOLINT(bugprone-unchecked-optional-access): the handler was called
    }

private:
    static bool aborted([[maybe_unused]] const std::tuple<R...>& result) noexcept {
        if constexpr (sizeof...(R) != 0) {
            if constexpr (std::same_as<std::tuple_element_t<0, std::tuple<R...>>,
                                       boost::system::error_code>) {
                return std::get<0>(result) == boost::asio::error::operation_aborted;
            }
        }
        return false;
    }

    std::optional<std::tuple<R...>> result_;
};

/// Ends the operation, exactly once: by being called, or else by being destroyed.
template <class Operation>
class handler {
public:
    using cancellation_slot_type = boost::asio::cancellation_slot;

    explicit handler(Operation& o) noexcept : operation_(&o) {}
    handler(handler&& other) noexcept : operation_(std::exchange(other.operation_, nullptr)) {}
    handler& operator=(handler&& other) noexcept {
        std::swap(operation_, other.operation_);
        return *this;
    }
    ~handler() {
        if (operation_ != nullptr) operation_->dropped();
    }

    template <class... As>
    void operator()(As&&... as) {
        // After this line *operation_ may be gone.
        std::exchange(operation_, nullptr)->complete(std::forward<As>(as)...);
    }

    cancellation_slot_type get_cancellation_slot() const noexcept { return operation_->slot(); }

private:
    Operation* operation_;
};

/// For operations that name no object: Asio would complete them on a thread pool of its own.
template <class Operation>
class handler_in_context : public handler<Operation> {
public:
    using executor_type = boost::asio::io_context::executor_type;

    handler_in_context(Operation& o, boost::asio::io_context& c) noexcept
        : handler<Operation>(o), executor_(c.get_executor()) {}

    executor_type get_executor() const noexcept { return executor_; }

private:
    executor_type executor_;
};

template <class Initiation, class Arguments, class... R>
class operation_awaiter;

// A class with constructors: g++ 12 destroys aggregates in co_await expressions twice.
template <class Initiation, class... Args, class... R>
class [[nodiscard]] operation_awaiter<Initiation, std::tuple<Args...>, R...> final
    : result_operation<R...> {
public:
    using taskscope_awaiter = void;

    template <class I, class... As>
    explicit operation_awaiter(I&& initiation, As&&... as)
        : initiation_(std::forward<I>(initiation)), arguments_(std::forward<As>(as)...) {}

    static bool await_ready() noexcept { return false; }

    template <std::derived_from<taskscope::detail::promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) {
        return suspend(h.promise());
    }

    auto await_resume() {
        if constexpr (sizeof...(R) == 1) {
            return std::get<0>(std::move(this->result()));
        } else if constexpr (sizeof...(R) > 1) {
            return std::move(this->result());
        }
    }

private:
    using base = result_operation<R...>;

    // noinline: the frame is published here; nothing of it may be kept in the coroutine's own registers.
    [[gnu::noinline]] std::coroutine_handle<> suspend(taskscope::detail::promise_base& p) {
        if (p.context->stop.stop_requested()) return taskscope::detail::stop_here(p);
        try {
            std::apply([&](Args&... as) { start(p, as...); }, arguments_);
        } catch (...) {
            p.result = taskscope::detail::outcome::pending;  // the handler was dropped
            throw;
        }
        return this->arm();
    }

    void start(taskscope::detail::promise_base& p, Args&... as) {
        if constexpr (finds_context<Initiation, Args...>) {
            this->begin(p, *find_context(initiation_, as...));
            std::move(initiation_)(handler<base>(*this), std::move(as)...);
        } else {
            boost::asio::io_context& c = context(*p.context->home);
            this->begin(p, c);
            std::move(initiation_)(handler_in_context<base>(*this, c), std::move(as)...);
        }
    }

    [[no_unique_address]] Initiation initiation_;
    [[no_unique_address]] std::tuple<Args...> arguments_;
};

}  // namespace detail
}  // namespace taskscope::net

template <class... R>
class boost::asio::async_result<taskscope::net::use_task_t, void(R...)> {
public:
    template <class Initiation, class... Args>
    static auto initiate(Initiation&& initiation, taskscope::net::use_task_t, Args&&... args) {
        using arguments = std::tuple<std::decay_t<Args>...>;
        return taskscope::net::detail::operation_awaiter<std::decay_t<Initiation>, arguments,
                                                         std::decay_t<R>...>(
            std::forward<Initiation>(initiation), std::forward<Args>(args)...);
    }
};
