// <taskscope/stop_token.hpp> - asking work to stop: source, token and callback, all in place.
// SPDX-License-Identifier: MIT
//
// The three types have the meaning of std::inplace_stop_source, _token and _callback (P2300,
// [stopsource.inplace]): no allocation, the source outlives its tokens and callbacks. Beyond that, sources
// form trees: a source attached below another is stopped with it, however deep the tree, without
// recursion, and detaches itself in O(1) when it goes.
#pragma once

#include <taskscope/detail/atomic.hpp>

#include <concepts>
#include <cstdint>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>

namespace taskscope {

class stop_source;
class stop_token;

namespace detail {

/// One request_stop() on its way through a tree of sources. Lives on the stack of the requester.
struct stop_pass {
    std::thread::id thread = std::this_thread::get_id();
    stop_source* pending = nullptr;  // sources reached but not yet notified
};

/// What a source keeps in its list: a callback, or the link to a source below.
class stop_registration {
public:
    using function = void (*)(stop_registration&, stop_pass&) noexcept;

    explicit stop_registration(function f) noexcept : call_(f) {}
    stop_registration(const stop_registration&) = delete;
    stop_registration& operator=(const stop_registration&) = delete;

    /// False if a stop was requested before: then nothing is registered and `call` was not called.
    bool try_register(stop_source* source) noexcept;

    /// Registers, or calls `call` at once if a stop was requested before. Nothing for an empty token.
    void watch(stop_token token) noexcept;

    /// After it returns `call` is not running and will not be called any more; except that when it is
    /// called from within `call` itself it does not wait for itself.
    void deregister() noexcept;

private:
    friend class taskscope::stop_source;

    stop_registration* next_ = nullptr;
    stop_registration* prev_ = nullptr;
    stop_source* source_ = nullptr;  // null: never registered
    function call_;
};

}  // namespace detail

/// Where a stop is requested.
///
/// Thread safety: all members from any thread. The source must outlive its tokens, its callbacks, the
///   sources attached below it, and every call of request_stop() on it.
/// Allocates: nothing.
class stop_source {
public:
    stop_source() noexcept = default;

    /// A source that is stopped when the one behind `parent` is. `parent` may be empty.
    explicit stop_source(stop_token parent) noexcept;

    /// Leaves the source above: from now on its stop does not reach this one.
    void detach() noexcept;

    /// Detaches from the source above; waits for a request_stop() of that source, on another thread,
    /// that is just passing through this one.
    ~stop_source();

    stop_source(const stop_source&) = delete;
    stop_source& operator=(const stop_source&) = delete;

    /// Effects: the first call runs every registered callback on this thread, then those of the sources
    ///   below, and returns true. No lock is held while a callback runs. Later calls return false.
    bool request_stop() noexcept;

    /// Synchronization: what happened before request_stop() is visible once this returned true.
    bool stop_requested() const noexcept {
        // edge stop.request, acquire half (release half: the store in begin()).
        return requested_.load(std::memory_order_acquire);
    }

    stop_token token() noexcept;

private:
    friend class detail::stop_registration;

    class link final : public detail::stop_registration {
    public:
        explicit link(stop_source& source) noexcept;
        stop_source& below;
    };

    bool begin() noexcept;
    void notify(detail::stop_pass& pass) noexcept;
    void reached_from_above(detail::stop_pass& pass) noexcept;
    void unlink(detail::stop_registration& r) noexcept;

    std::mutex mutex_;  // guards everything below but requested_, which is written under it
    detail::atomic<bool> requested_{false};
    bool waited_for_ = false;  // somebody waits on callbacks_done_
    detail::atomic<std::uint32_t> callbacks_done_{
        detail::first_count<std::uint32_t>()};  // 32 bits: waits on a futex of its own
    detail::stop_registration* first_ = nullptr;
    detail::stop_registration* running_ =
        nullptr;                           // the one being called just now, out of the list
    std::thread::id notifier_;             // the thread that calls it
    detail::stop_pass* pass_ = nullptr;    // the pass from above that is not done with us yet
    stop_source* next_pending_ = nullptr;  // link in stop_pass::pending
    link link_{*this};
};

/// A view of a source. Empty by default: then no stop can ever be requested.
class stop_token {
public:
    stop_token() noexcept = default;

    bool stop_requested() const noexcept { return source_ != nullptr && source_->stop_requested(); }
    bool stop_possible() const noexcept { return source_ != nullptr; }

    friend bool operator==(stop_token, stop_token) noexcept = default;

private:
    friend class stop_source;
    friend class detail::stop_registration;

    explicit stop_token(stop_source* source) noexcept : source_(source) {}

    stop_source* source_ = nullptr;
};

inline stop_token stop_source::token() noexcept { return stop_token{this}; }

inline void detail::stop_registration::watch(stop_token token) noexcept {
    if (token.source_ == nullptr || try_register(token.source_)) return;
    stop_pass pass;
    call_(*this, pass);
}

/// Calls `F` once when a stop is requested: on the requesting thread, or at once, in the constructor, if
/// that has happened already.
///
/// The destructor deregisters, and waits while the callback is running on another thread. A callback may
/// destroy its own stop_callback. `F` must not throw.
template <class F>
class stop_callback : private detail::stop_registration {
public:
    template <class G>
        requires std::constructible_from<F, G>
    stop_callback(stop_token token, G&& f)
        : detail::stop_registration(&stop_callback::invoke), function_(std::forward<G>(f)) {
        watch(token);
    }

    ~stop_callback() { deregister(); }

private:
    static void invoke(detail::stop_registration& r, detail::stop_pass&) noexcept {
        std::forward<F>(static_cast<stop_callback&>(r).function_)();
    }

    [[no_unique_address]] F function_;
};

template <class F>
stop_callback(stop_token, F) -> stop_callback<F>;

}  // namespace taskscope
