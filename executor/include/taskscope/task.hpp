// <taskscope/task.hpp> - task<T>: a coroutine that starts when it is awaited or spawned.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/awaitable.hpp>
#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/foreign.hpp>
#include <taskscope/detail/promise.hpp>

#include <bit>
#include <concepts>
#include <coroutine>
#include <source_location>
#include <type_traits>
#include <utility>

// With clang (since 19: llvm issue 88478) only; elsewhere an object with a destructor is passed, and returned, in memory. A
// coroutine then keeps it in its frame until the end of the full-expression, and looks once more whether anything is left to
// destroy. The tag makes a link error of it if both ways meet.
#if defined(__clang__) && __clang_major__ >= 19
#define TASKSCOPE_PASSED_IN_REGISTERS [[clang::trivial_abi]]
#define TASKSCOPE_TAG_OF_ABI [[gnu::abi_tag("in_register")]]
#else
#define TASKSCOPE_PASSED_IN_REGISTERS
#define TASKSCOPE_TAG_OF_ABI
#endif

namespace taskscope {

template <class T = void>
class TASKSCOPE_TAG_OF_ABI task;

namespace detail {

template <class T>
class task_promise;
template <class T>
class task_awaiter;

/// Grants the library access to the frame a task owns.
struct task_access {
    template <class T>
    static task_promise<T>& promise(task<T>& t) noexcept {
        return static_cast<task_promise<T>&>(*t.frame_);
    }
    template <class T>
    static promise_base*& frame(task<T>& t) noexcept {
        return t.frame_;
    }
    template <class T>
    static task<T> make(promise_base* frame) noexcept {
        return task<T>(frame);
    }
};

/// An awaiter that lives until the end of the full expression, as await_transform gives it to the compiler.
#if defined(__clang__)
template <class A>
using awaiter_reference = A&;
#else
/// Not a plain reference: g++ 12 copies an awaiter that await_transform returns by reference.
template <class A>
class awaiter_reference {
public:
    explicit awaiter_reference(A& a) noexcept : awaiter_(a) {}
    bool await_ready() noexcept { return awaiter_.await_ready(); }
    template <class Promise>
    auto await_suspend(std::coroutine_handle<Promise> h) {
        return awaiter_.await_suspend(h);
    }
    decltype(auto) await_resume() { return awaiter_.await_resume(); }

private:
    A& awaiter_;
};
#endif

/// What every task's promise does with what its coroutine awaits. It notes where the co_await stands, which is what `at`
/// is: not std::source_location::current(), for g++ 12 would keep an argument of class type in the frame, 16 bytes for
/// each co_await.
class awaiting_promise : public promise_base {
public:
    static final_awaiter final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept { set_error(std::current_exception()); }

    template <class T>
    task_awaiter<T> await_transform(task<T>&& t,
                                    const void* at = __builtin_source_location()) noexcept {
        awaits_at = std::bit_cast<std::source_location>(at);
        return task_awaiter<T>(t);
    }
    template <native_awaiter A>
    awaiter_reference<std::remove_reference_t<A>> await_transform(
        A&& a, const void* at = __builtin_source_location()) noexcept {
        awaits_at = std::bit_cast<std::source_location>(at);
        return static_cast<awaiter_reference<std::remove_reference_t<A>>>(a);
    }
    /// What awaits by way of one of our awaiters.
    template <class A>
        requires(!native_awaiter<A>) && native_awaiter<decltype(get_awaiter(std::declval<A>()))>
    auto await_transform(A&& a, const void* at = __builtin_source_location()) {
        awaits_at = std::bit_cast<std::source_location>(at);
        return get_awaiter(std::forward<A>(a));
    }
    /// Anything else that can be awaited. The task resumes on its own executor, wherever the awaitable
    /// completes. A stop request does not interrupt the wait. Allocates one small frame.
    template <class A>
        requires(!native_awaiter<A>) &&
                (!native_awaiter<decltype(get_awaiter(std::declval<A>()))>) &&
                awaiter<decltype(get_awaiter(std::declval<A>()))>
    foreign_awaiter<await_result_t<A>> await_transform(
        A&& a, const void* at = __builtin_source_location()) {
        awaits_at = std::bit_cast<std::source_location>(at);
        return foreign_awaiter<await_result_t<A>>(adapt_foreign(std::forward<A>(a)));
    }
};

template <class T>
class task_promise : public awaiting_promise {
public:
    task_promise() noexcept {
        static_assert(alignof(task_promise) <= 2 * sizeof(void*), "see promise_base::handle()");
    }
    ~task_promise() {
        if (result == outcome::value) storage_.destroy();
    }

    task<T> get_return_object() noexcept { return task_access::make<T>(this); }

    void unhandled_exception() noexcept {
        if (result == outcome::value)
            storage_.destroy();  // a local's destructor threw after co_return
        set_error(std::current_exception());
    }
    static final_awaiter final_suspend() noexcept { return {}; }

    template <class U = T>
        requires std::convertible_to<U&&, T> &&
                 (!std::is_reference_v<T> || std::is_reference_v<U &&>)
    void return_value(U&& value) {
        storage_.set(static_cast<T>(std::forward<U>(value)));
        result = outcome::value;
    }

    /// The value; rethrows the error.
    T take() {
        rethrow_if_error();
        return storage_.take();
    }

private:
    value_storage<T> storage_;
};

template <>
class task_promise<void> : public awaiting_promise {
public:
    task<void> get_return_object() noexcept;
    void return_void() noexcept { result = outcome::value; }

    void take() { rethrow_if_error(); }
};

/// Of a coroutine neither whose parameters nor whose result need a destructor. When it has ended with a value, nothing is
/// left that does; a join frees the blocks of such branches at once, and calls none of the coroutines to destroy itself
/// (docs/decisions/0015-frames-freed-by-the-join.md).
template <class T>
class recyclable_promise : public task_promise<T> {
public:
    recyclable_promise() noexcept {
        static_assert(frame_class::count <= 0x100, "recyclable_as has eight bits");
        this->recyclable_as =
            static_cast<std::uint8_t>(std::exchange(newest_block, block_class{}).listed);
    }

    static void* operator new(std::size_t bytes) {
        void* const memory = allocate_frame(bytes);
        newest_block.listed = frame_class::listed(bytes);
        return memory;
    }
    // The same as that of the base; g++ without optimisation warns of a new and a delete of two classes.
    static void operator delete(void* memory, std::size_t bytes) noexcept {
        free_frame(memory, bytes);
    }
};

// Trivially moved into the frame, too: nothing may run between operator new and the promise's constructor.
template <class P>
using is_trivial_parameter =
    std::disjunction<std::is_reference<P>, std::conjunction<std::is_trivially_move_constructible<P>,
                                                            std::is_trivially_destructible<P>>>;

template <class T, class... Args>
using is_recyclable =
    std::conjunction<std::disjunction<std::is_void<T>, std::is_trivially_destructible<T>>,
                     is_trivial_parameter<Args>...>;

template <class T, class... Args>
using function_promise =
    std::conditional_t<is_recyclable<T, Args...>::value, recyclable_promise<T>, task_promise<T>>;

// Whether the closure type `C` has captures. Not a constant expression: inside the lambda's own body, where
// coroutine_traits looks, its type is not complete yet.
template <class C>
[[gnu::noinline]] bool has_captures() noexcept {
    return !std::is_empty_v<std::remove_cv_t<C>>;
}

/// The promise of a task whose coroutine is a lambda: it remembers whether there are captures to die.
template <class Promise, class C>
class closure_promise : public Promise {
public:
    closure_promise() noexcept {
        if (has_captures<C>()) this->flags |= promise_base::from_capturing_closure;
    }
};

template <class T, class... Args>
struct select_promise {
    using type = function_promise<T, Args...>;
};
template <class T, class C, class... Args>
    requires(is_closure<std::remove_cv_t<C>>())
struct select_promise<T, C&, Args...> {
    using type = closure_promise<function_promise<T, Args...>, C>;
};

}  // namespace detail

/// A coroutine, lazily started, with exactly one owner: this object.
///
/// Awaiting it runs it, on the executor of the task that awaits, and gives its value or rethrows its
/// exception. To run several at once fork_join() them or spawn them into a scope.
///
/// Stop: if the task is stopped, the coroutine that awaits it is not resumed; it completes as stopped too,
///   and its locals are destroyed in order. See stopped.hpp for how to notice.
/// Thread safety: none; it belongs to one coroutine.
/// Allocates: its frame, from the worker's recycled memory.
///
/// `T` may be void, a reference or move-only, and must not be aligned to more than 16 bytes.
template <class T>
class [[nodiscard]] TASKSCOPE_PASSED_IN_REGISTERS task {
public:
    using value_type = T;

    task(task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    task& operator=(task&& other) noexcept {
        if (this != &other) {
            if (frame_ != nullptr) frame_->handle().destroy();
            frame_ = std::exchange(other.frame_, nullptr);
        }
        return *this;
    }
    ~task() {
        if (frame_ != nullptr) frame_->handle().destroy();
    }

    /// False after it was moved from.
    explicit operator bool() const noexcept { return frame_ != nullptr; }

private:
    friend detail::task_access;

    explicit task(detail::promise_base* frame) noexcept : frame_(frame) {}

    detail::promise_base* frame_;
};

namespace detail {

template <class T>
inline constexpr bool is_task_type = false;
template <class T>
inline constexpr bool is_task_type<task<T>> = true;

inline task<void> task_promise<void>::get_return_object() noexcept {
    return task_access::make<void>(this);
}

template <class T>
class [[nodiscard]] task_awaiter {
public:
    using taskscope_awaiter = void;

    explicit task_awaiter(task<T>& t) noexcept : task_(t) {}

    static bool await_ready() noexcept { return false; }

    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        contract_check(static_cast<bool>(task_), "a task was awaited that was moved from");
        promise_base& child = task_access::promise(task_);
        contract_check(child.reports_to == completion::none, "a task was awaited twice");
        child.context = h.promise().context;
        child.reports_to = completion::awaited;
        child.awaiting = &h.promise();
        child.owner = &task_access::frame(task_);
        return this_worker()->transfer(child.handle(), child);
    }

    T await_resume() { return task_access::promise(task_).take(); }

private:
    task<T>& task_;
};

/// Awaits a task of its own.
template <class T>
class [[nodiscard]] owned_task_awaiter {
public:
    using taskscope_awaiter = void;

    explicit owned_task_awaiter(task<T>&& t) noexcept : task_(std::move(t)) {}

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        return task_awaiter<T>(task_).await_suspend(h);
    }
    T await_resume() { return task_access::promise(task_).take(); }

private:
    task<T> task_;
};

}  // namespace detail
}  // namespace taskscope

template <class T, class... Args>
struct std::coroutine_traits<taskscope::task<T>, Args...> {
    using promise_type = typename taskscope::detail::select_promise<T, Args...>::type;
};

#undef TASKSCOPE_PASSED_IN_REGISTERS
#undef TASKSCOPE_TAG_OF_ABI
