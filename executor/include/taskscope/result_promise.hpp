// <taskscope/result_promise.hpp> - a result that somebody else will have: a C callback, a foreign thread.
// SPDX-License-Identifier: MIT
//
//     task<int> query(const char* text) {
//         pending_result<int> result;
//         void* const user_data = result.make_promise().release();
//         db_query(text, user_data, [](void* p, int rows) {
//             result_promise<int>::take_back(p).set_value(rows);
//         });
//         co_return co_await result;
//     }
#pragma once

#include <taskscope/async_event.hpp>
#include <taskscope/detail/promise.hpp>
#include <taskscope/errors.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/task.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace taskscope {

template <class T>
class result_promise;

/// What an awaiting task gets if the promise was destroyed and nobody has kept it.
class broken_promise : public std::runtime_error {
public:
    broken_promise()
        : std::runtime_error("taskscope: a result_promise was destroyed and never given a result") {
    }
};

namespace detail {

/// Between a pending_result and its promise.
template <class T>
class shared_result {
public:
    /// Keeps a result, by `set(storage)`. False if there is one already, or nobody wants one any more.
    template <class Set>
    bool complete(Set set) {
        const std::lock_guard lock{mutex_};
        if (complete_ || unwanted_) return false;
        set(result_);
        complete_ = true;
        done.set();  // under the mutex: who comes second finds it set
        return true;
    }

    /// Nobody will look at the result. One that is there is destroyed with the last owner.
    void disown() noexcept {
        const std::lock_guard lock{mutex_};
        unwanted_ = true;
    }

    async_event done;

    // Once it is done.

    outcome how() const noexcept { return result_.how(); }
    T take() { return result_.take(); }

private:
    std::mutex mutex_;  // guards what follows, until it is done
    bool complete_ = false;
    bool unwanted_ = false;
    result_storage<T> result_;
};

}  // namespace detail

/// The end of a result at which a task waits for it.
///
///     co_await result;              // the value; rethrows the error; once
///
/// Stop: the wait ends as stopped; the result may be awaited again, if somebody else still has this object. When it
///   is gone, whoever comes with the result is told so, and the result is destroyed at once. To stop the work
///   itself, register a stop_callback with get_stop_token().
/// Lifetime: may be destroyed at any time. A member or local of the task that waits, usually.
/// Thread safety: one task at a time.
/// Allocates: one block, shared with the promise.
template <class T = void>
class pending_result {
public:
    using value_type = T;

    pending_result() : shared_(std::make_shared<detail::shared_result<T>>()) {}
    pending_result(pending_result&&) noexcept = default;
    pending_result& operator=(pending_result&& other) noexcept {
        std::swap(shared_, other.shared_);
        return *this;
    }
    pending_result(const pending_result&) = delete;
    pending_result& operator=(const pending_result&) = delete;
    ~pending_result() {
        if (shared_ != nullptr) shared_->disown();
    }

    /// The other end. Throws misuse_error the second time.
    result_promise<T> make_promise();

    /// Whether awaiting it does not suspend.
    bool done() const noexcept { return shared_->done.is_set(); }

    auto operator co_await() & { return detail::owned_task_awaiter<T>(wait(shared_)); }
    auto operator co_await() && { return detail::owned_task_awaiter<T>(wait(shared_)); }

private:
    static task<T> wait(std::shared_ptr<detail::shared_result<T>> shared) {
        co_await shared->done.wait();
        if (shared->how() == detail::outcome::stopped) co_await just_stopped();
        co_return shared->take();
    }

    std::shared_ptr<detail::shared_result<T>> shared_;
    bool promised_ = false;
};

/// The end of a result at which it is given, once.
///
/// All set_ functions return whether the result was taken: false if there is one already, or the pending_result is
/// gone, because its task was stopped, say. Nothing is kept of it then. Destroyed without a result it gives
/// broken_promise. The awaiting task goes on on its own executor, never on the thread that gives the result.
/// Thread safety: set_ functions from any thread, several at a time: the first one counts. Its other members one at
///   a time.
/// Lifetime: may outlive the task, and its executor.
template <class T = void>
class [[nodiscard]] result_promise {
public:
    result_promise(result_promise&&) noexcept = default;
    result_promise& operator=(result_promise&& other) noexcept {
        std::swap(shared_, other.shared_);
        return *this;
    }
    result_promise(const result_promise&) = delete;
    result_promise& operator=(const result_promise&) = delete;
    ~result_promise() {
        if (shared_ == nullptr) return;
        // An error as an object costs something: only if nobody was faster.
        if (!shared_->done.is_set()) set_error(std::make_exception_ptr(broken_promise()));
    }

    /// Throws what moving the value throws; it can be given another one then.
    template <class U = T>
        requires(!std::is_void_v<T>) && std::convertible_to<U&&, T>
    bool set_value(U&& value) {
        return shared_->complete(
            [&](detail::result_storage<T>& r) { r.set_value(std::forward<U>(value)); });
    }
    bool set_value() noexcept
        requires std::is_void_v<T>
    {
        return shared_->complete([](detail::result_storage<T>& r) { r.set_value(); });
    }
    bool set_error(std::exception_ptr error) noexcept {
        return shared_->complete(
            [&](detail::result_storage<T>& r) { r.set_error(std::move(error)); });
    }
    /// The awaiting task completes as stopped.
    bool set_stopped() noexcept {
        return shared_->complete([](detail::result_storage<T>& r) { r.set_stopped(); });
    }

    /// For a C interface: the promise as a pointer, to be taken back exactly once.
    void* release() && { return new result_promise(std::move(*this)); }
    static result_promise take_back(void* released) noexcept {
        const std::unique_ptr<result_promise> owner(static_cast<result_promise*>(released));
        return std::move(*owner);
    }

private:
    friend pending_result<T>;

    explicit result_promise(std::shared_ptr<detail::shared_result<T>> s) noexcept
        : shared_(std::move(s)) {}

    std::shared_ptr<detail::shared_result<T>> shared_;
};

template <class T>
result_promise<T> pending_result<T>::make_promise() {
    if (std::exchange(promised_, true)) {
        throw misuse_error("taskscope: a pending_result was asked for a second promise");
    }
    return result_promise<T>(shared_);
}

}  // namespace taskscope
