// <taskscope/start.hpp> - a child that says when it is ready, and a starter that waits for that.
// SPDX-License-Identifier: MIT
//
//     task<> serve(config c, start_signal<port> ready) {
//         listener l = co_await listen(c);
//         ready(l.port());                                       // the starter goes on
//         ...
//     }
//     const port p = co_await scope.start(serve, c);             // serve() is a child of the scope from now on
//
// Until it has signalled the child belongs to both: the scope waits for it and may stop it, and the starter is
// told of its error and passes its own stop on. What counts is decided once:
//
//     the child       and the starter     start()                          the child
//     --------------  ------------------  -------------------------------  ---------------------------------
//     signals         waits               gives the value                  is like any child of the scope
//     signals         was stopped before  stopped, when the child ended    is told `false`, is asked to stop
//     fails           waits, or stopped   rethrows                         its error is not the scope's
//     is stopped      waits, or stopped   stopped                          counts as stopped
//     just ends       waits               throws start_error
//     just ends       was stopped before  stopped
//
// A stop of the starter that comes after the signal finds the child handed over, and leaves it alone: start() gives
// the value, and the starter's next suspension sees the stop.
#pragma once

#include <taskscope/async_event.hpp>
#include <taskscope/detail/promise.hpp>
#include <taskscope/errors.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/task.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <mutex>
#include <source_location>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>

namespace taskscope {

/// Thrown by start() when the child has ended without an error before it has signalled.
class start_error : public std::runtime_error {
public:
    explicit start_error(std::source_location where);

    /// Where the child was started.
    std::source_location where() const noexcept { return where_; }

private:
    std::source_location where_;
};

namespace detail {

class scope_state;

/// Between a starter and its child. The child is a member of the scope until end() has returned.
class handshake {
public:
    explicit handshake(scope_state& s) noexcept;
    handshake(const handshake&) = delete;
    handshake& operator=(const handshake&) = delete;

    /// By the child when it has ended: true if it had not signalled, and its error is the starter's.
    bool end(settled<void> how) noexcept;

    /// By a stop of the starter: true if the child has neither signalled nor ended. It must not signal any more.
    bool withdraw() noexcept;

    // For the starter, once `decided` is set.

    bool signalled() const noexcept { return stage_ == stage::signalled; }
    /// How the child has ended; stopped, if it did not fail and the starter does not want it any more.
    settled<void> ending() const noexcept;

    async_event decided;

protected:
    ~handshake() = default;

    /// Whether the child may signal. Throws misuse_error the second time. Under the mutex.
    bool may_signal() const;
    void set_signalled() noexcept;

    std::mutex mutex_;  // guards what follows, and the value, until `decided`

private:
    enum class stage : unsigned char { waiting, withdrawn, signalled, ended };

    void decide(stage s) noexcept;

    stage stage_ = stage::waiting;
    bool unwanted_ = false;
    settled<void> how_;
    scope_state& scope_;
};

template <class T>
class handshake_of final : public handshake {
public:
    using handshake::handshake;

    template <class... U>
    bool signal(U&&... value) {
        const std::lock_guard lock{mutex_};
        if (!may_signal()) return false;
        value_.set_value(std::forward<U>(value)...);
        set_signalled();
        return true;
    }
    T take() { return value_.take(); }

private:
    result_storage<T> value_;
};

template <class T, class F, class... Args>
class start_call;

}  // namespace detail

/// What a child calls when it is ready; with a value for the starter, unless T is void. It is the last argument of
/// the function given to start(). Made without one it does nothing, so that with a default argument,
/// `start_signal<> ready = {}`, the same function can be spawned.
///
/// Thread safety: may be moved to, and called from, any thread. A call after the child has ended is refused.
/// Allocates: nothing.
template <class T = void>
class [[nodiscard]] start_signal {
public:
    start_signal() noexcept = default;
    start_signal(start_signal&&) noexcept = default;
    start_signal& operator=(start_signal&&) noexcept = default;
    start_signal(const start_signal&) = delete;
    start_signal& operator=(const start_signal&) = delete;
    ~start_signal() = default;

    /// Lets the starter go on with `value`.
    ///
    /// Returns: false, and does nothing, if the starter was stopped before: the child is being asked to stop then, which
    ///   may come a moment later, and the starter waits for its end.
    /// Throws: what moving the value throws, and the child may try again; misuse_error the second time.
    template <class U = T>
        requires std::convertible_to<U&&, T>
    bool operator()(U&& value) {
        return shared_ == nullptr || shared_->signal(std::forward<U>(value));
    }
    bool operator()()
        requires std::is_void_v<T>
    {
        return shared_ == nullptr || shared_->signal();
    }

private:
    template <class U, class F, class... Args>
    friend class detail::start_call;

    explicit start_signal(std::shared_ptr<detail::handshake_of<T>> h) noexcept
        : shared_(std::move(h)) {}

    std::shared_ptr<detail::handshake_of<T>> shared_;
};

namespace detail {

// Which value the callable `F` signals: T if its last parameter is a start_signal<T>. For what has one signature.

template <class T>
struct signalled_by {};
template <class T>
struct signalled_by<start_signal<T>> {
    using type = T;
};
template <class... Args>
struct last_of {};
template <class A, class... Args>
struct last_of<A, Args...> : last_of<Args...> {};
template <class A>
struct last_of<A> : signalled_by<std::remove_cvref_t<A>> {};

template <class F>
struct signalled_in {};
template <class F>
    requires requires { &F::operator(); }
struct signalled_in<F> : signalled_in<decltype(&F::operator())> {};
template <class R, class... Args>
struct signalled_in<R (*)(Args...)> : last_of<Args...> {};
template <class R, class... Args>
struct signalled_in<R (*)(Args...) noexcept> : last_of<Args...> {};
template <class R, class C, class... Args>
struct signalled_in<R (C::*)(Args...)> : last_of<Args...> {};
template <class R, class C, class... Args>
struct signalled_in<R (C::*)(Args...) const> : last_of<Args...> {};
template <class R, class C, class... Args>
struct signalled_in<R (C::*)(Args...) noexcept> : last_of<Args...> {};
template <class R, class C, class... Args>
struct signalled_in<R (C::*)(Args...) const noexcept> : last_of<Args...> {};

/// In place of a type that the callable is asked for.
struct deduced;

template <class T, class F>
struct signal_value {
    using type = T;
};
template <class F>
struct signal_value<deduced, F> : signalled_in<std::decay_t<F>> {};
template <class T, class F>
using signal_value_t = typename signal_value<T, F>::type;

template <class T, class F, class... Args>
concept startable = is_task_type<std::invoke_result_t<std::decay_t<F>&, std::decay_t<Args>...,
                                                      start_signal<signal_value_t<T, F>>>>;

/// What start() spawns: the callable, its arguments, and what becomes of its end.
template <class T, class F, class... Args>
class start_call {
public:
    template <class G, class... As>
    explicit start_call(std::shared_ptr<handshake_of<T>> h, G&& f, As&&... args)
        : starter_(std::move(h)),
          function_(std::forward<G>(f)),
          arguments_(std::forward<As>(args)...) {}

    task<> operator()() {
        settled<void> how = co_await settle(call());
        if (starter_.shared->end(how) && how.has_error()) co_return;
        if (how.is_stopped()) co_await just_stopped();
        std::move(how).take();
    }

private:
    /// Tells the starter also of a child that was stopped before it ran.
    struct ticket {
        explicit ticket(std::shared_ptr<handshake_of<T>> h) noexcept : shared(std::move(h)) {}
        ticket(ticket&&) noexcept = default;
        ticket& operator=(ticket&&) = delete;
        ~ticket() {
            if (shared != nullptr) shared->end({});
        }
        std::shared_ptr<handshake_of<T>> shared;
    };

    task<> call() {
        auto t = std::apply(
            [this](Args&... args) {
                return std::invoke(function_, std::move(args)..., start_signal<T>(starter_.shared));
            },
            arguments_);
        co_await std::move(t);
    }

    ticket starter_;
    [[no_unique_address]] F function_;
    [[no_unique_address]] std::tuple<Args...> arguments_;
};

}  // namespace detail
}  // namespace taskscope
