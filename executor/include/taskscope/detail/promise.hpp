// <taskscope/detail/promise.hpp> - the part of a coroutine's promise that workers, awaiters and joins see.
// SPDX-License-Identifier: MIT
//
// A task completes in one of three ways: with a value, with an error, or stopped. Value and error reach the
// awaiter by resuming it. Stopped does not resume anybody: the suspended frame is destroyed, then the frame
// that awaited it, and so on up to the first one that wants to know (a receiver). unwind() does that in a
// loop, leaf first, so neither depth nor `catch (...)` matters (docs/decisions/0001-three-completions.md).
#pragma once

#include <taskscope/detail/context.hpp>
#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/job.hpp>
#include <taskscope/detail/worker.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <variant>

namespace taskscope::detail {

struct promise_base;
struct join_block;
class await_trace;

/// Who is told that a task has completed.
enum class completion : std::uint16_t {
    none,     ///< not started
    awaited,  ///< a coroutine that awaits it: resumed
    // A fork_join. On the forking flow:
    inline_branch,       ///< there is a next branch
    inline_last_branch,  ///< there is none
    // In a deque, or taken from it by somebody else than the flow; in the same order (on_flow):
    branch,
    last_branch,
    receiver,  ///< a receiver: called
    relay,     ///< a relay: called
    traced,    ///< a traced_receiver: called
};

constexpr bool is_queued_branch(completion c) noexcept {
    return c == completion::branch || c == completion::last_branch;
}
/// What a branch becomes when the forking flow takes it back.
constexpr completion on_flow(completion c) noexcept {
    return static_cast<completion>(static_cast<std::uint16_t>(c) - 2);
}
static_assert(on_flow(completion::branch) == completion::inline_branch);
static_assert(on_flow(completion::last_branch) == completion::inline_last_branch);

enum class outcome : std::uint8_t { pending, value, error, stopped };

/// Told about the end of a task by the worker's loop, with no frame of the task on the stack.
struct receiver {
    using function = job* (*)(receiver& r, promise_base* p) noexcept;

    explicit constexpr receiver(function f) noexcept : done(f) {}

    /// `p` is at its final suspension point, with a value or an error, and `done` may destroy it; or it is
    /// nullptr: the task was stopped and its frame is gone, or, of a job, there never was one. Returns what the
    /// worker runs next, if anything.
    function done;
};

/// One that lives in the frame of a coroutine, which waits for it.
struct relay : receiver {
    explicit constexpr relay(function f) noexcept : receiver(f) {}

    promise_base* parent = nullptr;
    await_trace* trace = nullptr;  ///< of the task that is told about, if it has one
};

struct promise_base : job {
    // Flags.
    /// Its closure may die before it does.
    static constexpr std::uint8_t from_capturing_closure = 2;
    static constexpr std::uint8_t being_destroyed = 4;  ///< while it is suspended

    promise_base() noexcept : job(job_kind::coroutine) {}
    ~promise_base() {
        if (result == outcome::error) std::destroy_at(&error);
    }

    std::coroutine_handle<> handle() noexcept {
        // The distance between frame and promise depends on the promise's alignment alone, and is the same
        // for all alignments up to that of two pointers; task.hpp asserts that ours is not above it.
        return std::coroutine_handle<promise_base>::from_promise(*this);
    }

    /// That of a frame. Rather than the promise a coroutine passes its frame, which it has at hand.
    static promise_base& of(void* frame) noexcept {
        return std::coroutine_handle<promise_base>::from_address(frame).promise();
    }

    /// Destroys the suspended frame. A destructor that throws would not come out of this: the coroutine would end with
    /// that error, and its frame stay.
    void destroy_suspended() noexcept {
        flags |= being_destroyed;
        handle().destroy();
    }

    /// The same behind the back of the task object that owns the frame.
    void unwind_frame() noexcept {
        std::atomic_ref(*owner).store(nullptr, std::memory_order_relaxed);
        destroy_suspended();
    }

    void set_error(std::exception_ptr e) noexcept {
        contract_check(
            (flags & being_destroyed) == 0,
            "a destructor threw while the frame of its suspended coroutine was destroyed, "
            "by a stop or because it was left. Such a destructor has to be noexcept.");
        ::new (&error) std::exception_ptr(std::move(e));
        result = outcome::error;
    }
    void rethrow_if_error() {
        if (result == outcome::error) [[unlikely]]
            rethrow();
    }
    [[noreturn]] void rethrow();

    static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
    static void operator delete(void* memory, std::size_t bytes) noexcept {
        free_frame(memory, bytes);
    }

    static std::suspend_always initial_suspend() noexcept { return {}; }

    // With the kind of job eight bytes, without a gap: they are set by one store.
    outcome result = outcome::pending;
    std::uint8_t flags = 0;
    std::uint8_t recyclable_as = 0;  ///< frame_class of its block, or 0; see recyclable_promise
    // Side by side: a fork writes both at once.
    completion reports_to = completion::none;
    std::uint16_t branch = 0;  ///< index among the branches of a fork_join
    // From here on nothing is set before the task is started: each store would be one for each frame.
    task_context* context;
    union {
        promise_base* awaiting;  ///< completion::awaited
        join_block* join;        ///< of a fork_join: completion::branch and the like
        receiver* recv;          ///< completion::receiver, relay, traced
    };
    union {
        promise_base**
            owner;  ///< the pointer in the task object that destroys this frame; not of branches
        std::exception_ptr error;  ///< if result is error: nobody unwinds the frame any more
    };
};

/// Runs destructors from `leaf` upwards: `leaf` is suspended at an await that completed as stopped.
/// Returns the next job. Called by the worker's loop only, never from await_suspend.
job* unwind(promise_base& leaf) noexcept;

/// Suspended for good with a result: hands over to whoever waits. Called from final_suspend, where the
/// frame must not be destroyed: receivers are therefore called later, by the loop. Returns the frame to go on with.
///
/// Not inline: a coroutine saves the registers of its hungriest part whenever it is resumed or destroyed.
void* finish(void* frame) noexcept;

/// Completes the suspended coroutine `p` as stopped: what a native awaiter returns from await_suspend.
inline std::coroutine_handle<> stop_here(promise_base& p) noexcept {
    p.result = outcome::stopped;
    return this_worker()->bounce(p);
}

struct final_awaiter {
    static bool await_ready() noexcept { return false; }
    template <class Promise>
    static std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        return std::coroutine_handle<>::from_address(finish(h.address()));
    }
    static void await_resume() noexcept {}
};

/// A result where there has to be one: in place of void std::monostate.
template <class T>
using regular_result = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

/// Memory of one value. `T` may be void or a reference. Whether it holds one is for others to know.
template <class T>
class value_storage {
    static constexpr bool is_reference = std::is_reference_v<T>;

public:
    using stored =
        std::conditional_t<is_reference, std::add_pointer_t<std::remove_reference_t<T>>, T>;
    static_assert(
        alignof(stored) <= 2 * sizeof(void*),
        "taskscope: coroutine frames are aligned to 16 bytes. Return a pointer to it instead.");

    value_storage() noexcept {}
    ~value_storage() {}  // destroy() is called by who knows
    value_storage(const value_storage&) = delete;
    value_storage& operator=(const value_storage&) = delete;

    template <class U>
    void set(U&& value) {
        if constexpr (is_reference) {
            value_ = std::addressof(value);
        } else {
            ::new (static_cast<void*>(std::addressof(value_))) stored(std::forward<U>(value));
        }
    }
    T take() {
        if constexpr (is_reference) {
            return static_cast<T>(*value_);
        } else {
            return std::move(value_);
        }
    }
    void destroy() noexcept { std::destroy_at(std::addressof(value_)); }

private:
    union {
        stored value_;
    };
};

template <>
class value_storage<void> {
public:
    static void take() noexcept {}
    static void destroy() noexcept {}
};

/// A value or an error, or that there is none because the work was stopped.
template <class T>
class result_storage {
public:
    result_storage() noexcept = default;
    ~result_storage() { reset(); }
    result_storage(const result_storage&) = delete;
    result_storage& operator=(const result_storage&) = delete;

    template <class U>
    void set_value(U&& value) {
        value_.set(std::forward<U>(value));
        how_ = outcome::value;
    }
    void set_value() noexcept
        requires std::is_void_v<T>
    {
        how_ = outcome::value;
    }
    void set_error(std::exception_ptr e) noexcept {
        error_ = std::move(e);
        how_ = outcome::error;
    }
    void set_stopped() noexcept { how_ = outcome::stopped; }
    /// What calling `f` gives, or throws.
    template <class F>
    void set_result_of(F&& f) noexcept {
        try {
            if constexpr (std::is_void_v<T>) {
                std::invoke(std::forward<F>(f));
                set_value();
            } else {
                set_value(std::invoke(std::forward<F>(f)));
            }
        } catch (...) {
            set_error(std::current_exception());
        }
    }
    /// As it was before there was a result.
    void reset() noexcept {
        if (how_ == outcome::value) value_.destroy();
        error_ = nullptr;
        how_ = outcome::pending;
    }

    outcome how() const noexcept { return how_; }
    /// The value; rethrows the error.
    T take() {
        if (how_ == outcome::error) [[unlikely]]
            std::rethrow_exception(std::move(error_));
        return value_.take();
    }

private:
    value_storage<T> value_;
    std::exception_ptr error_;
    outcome how_ = outcome::pending;
};

}  // namespace taskscope::detail
