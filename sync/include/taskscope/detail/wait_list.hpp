// <taskscope/detail/wait_list.hpp> - tasks that wait in line, and leave it when they are asked to stop.
// SPDX-License-Identifier: MIT
//
// Everything in this room waits in the same way. A primitive has a mutex, which guards its state and its lists.
// Who lets a waiter go on claims it under that mutex, in the step in which it leaves the list, and wakes it when
// the mutex is free again. A stop claims first, without the mutex, then withdraws the waiter under it. So nothing
// is ever handed to a waiter that was stopped, and no list holds a frame that could be gone. (sync/README.md)
#pragma once

#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/suspension.hpp>
#include <taskscope/stop_token.hpp>

#include <concepts>
#include <coroutine>

namespace taskscope::detail {

template <class W>
class wait_list;
class woken_list;

/// The awaiter of one task that waits for a primitive. Derived classes say for what.
class waiter : protected suspension, protected stop_registration {
public:
    using taskscope_awaiter = void;

    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    virtual ~waiter() {
        if (watching_) deregister();
    }

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        return suspend(h.promise());
    }

protected:
    waiter() noexcept : stop_registration(&waiter::on_stop) {}

    /// Takes what the task wants, and returns true; or puts *this into a list. Locks the primitive.
    virtual bool take_or_join() noexcept = 0;

    /// Leaves the list, if it is still in it: it was stopped. Locks the primitive.
    virtual void withdraw() noexcept = 0;

    std::coroutine_handle<> suspend(promise_base& p) noexcept;

private:
    template <class W>
    friend class wait_list;
    friend class woken_list;

    static void on_stop(stop_registration& r, stop_pass&) noexcept;

    bool watching_ = false;
    bool linked_ = false;  // these three: guarded by the primitive's mutex
    waiter* next_ = nullptr;
    waiter* prev_ = nullptr;
};

/// Who waits, in the order in which they came. Guarded by the mutex of the primitive it belongs to.
template <class W>
class wait_list {
public:
    wait_list() noexcept = default;
    wait_list(const wait_list&) = delete;
    wait_list& operator=(const wait_list&) = delete;
    ~wait_list() {
        contract_check(
            first_ == nullptr,
            "something was destroyed that a task waits for. Let it live longer than those "
            "who wait: declare it before the scope they run in");
    }

    bool empty() const noexcept { return first_ == nullptr; }

    /// The one that came first, which may have been stopped and be about to withdraw; or nullptr.
    W* front() noexcept { return static_cast<W*>(first_); }

    void push_back(W& w) noexcept {
        waiter& n = w;
        n.next_ = nullptr;
        n.prev_ = last_;
        (last_ != nullptr ? last_->next_ : first_) = &n;
        last_ = &n;
        n.linked_ = true;
    }

    /// False if it was not in it any more.
    bool remove(W& w) noexcept {
        waiter& n = w;
        if (!n.linked_) return false;
        (n.prev_ != nullptr ? n.prev_->next_ : first_) = n.next_;
        (n.next_ != nullptr ? n.next_->prev_ : last_) = n.prev_;
        n.linked_ = false;
        return true;
    }

    /// Takes the first out. Returns it if it is now the caller's to wake, nullptr if it was stopped.
    W* claim_front() noexcept {
        W& w = *front();
        remove(w);
        return static_cast<waiter&>(w).try_claim() ? &w : nullptr;
    }

    /// The first that was not stopped, out of the list and the caller's to wake; nullptr if there is none.
    W* claim_one() noexcept {
        while (first_ != nullptr) {
            if (W* w = claim_front()) return w;
        }
        return nullptr;
    }

private:
    waiter* first_ = nullptr;
    waiter* last_ = nullptr;
};

/// Waiters that were claimed, to be woken when no mutex is held.
class woken_list {
public:
    void add(waiter& w) noexcept {
        w.next_ = nullptr;
        *last_ = &w;
        last_ = &w.next_;
    }

    /// All of `list` that were not stopped.
    template <class W>
    void add_all(wait_list<W>& list) noexcept {
        while (W* w = list.claim_one()) add(*w);
    }

    /// They go on, in this order. After that they, and what they waited for, may be gone.
    void wake() noexcept {
        while (first_ != nullptr) wake(*std::exchange(first_, first_->next_));
    }

    static void wake(waiter& w) noexcept { w.decide(outcome::value); }

private:
    waiter* first_ = nullptr;
    waiter** last_ = &first_;
};

}  // namespace taskscope::detail
