// executor/src/blocking_threads.cpp - starting, reusing and ending the threads behind run_blocking().
// SPDX-License-Identifier: MIT
#include "blocking_threads.hpp"

#include <taskscope/detail/current.hpp>

#include <system_error>

namespace taskscope::detail {

void blocking_threads::start(blocking_call& call) {
    std::unique_lock lock{mutex_};
    reap(lock);
    tsan_release(&call);
    thread_entry* wake = nullptr;
    if (!idle_.empty()) {
        busy_.splice(busy_.begin(), idle_, idle_.begin());
        wake = &busy_.front();
        wake->idle = false;
    } else if (waiting_ >= finishing_ && busy_.size() < limit_) {
        try {
            busy_.emplace_front();
            const auto self = busy_.begin();
            try {
                self->thread = std::thread([this, self] { run(self); });
            } catch (...) {
                busy_.pop_front();
                throw;
            }
            alive_.store(alive_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        } catch (const std::exception&) {
            if (busy_.empty()) throw;  // else it waits for one of those there are
        }
    }
    link(call);
    calls_.store(calls_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (wake != nullptr) {
        wake->wake.store(
            1, std::memory_order_relaxed);  // ordered by the mutex; the word is only a bell
        futex_wake_one(&wake->wake);        // under the mutex: the thread cannot end meanwhile
    }
}

void blocking_threads::link(blocking_call& call) noexcept {
    call.next = nullptr;
    call.prev = last_;
    (last_ != nullptr ? last_->next : first_) = &call;
    last_ = &call;
    call.waiting = true;
    ++waiting_;
}

void blocking_threads::unlink(blocking_call& call) noexcept {
    (call.prev != nullptr ? call.prev->next : first_) = call.next;
    (call.next != nullptr ? call.next->prev : last_) = call.prev;
    call.waiting = false;
    --waiting_;
}

// The first that was not stopped; nullptr if there is none.
blocking_call* blocking_threads::take() noexcept {
    while (first_ != nullptr) {
        blocking_call& call = *first_;
        unlink(call);
        if (call.try_claim()) return &call;
    }
    return nullptr;
}

void blocking_threads::withdraw(blocking_call& call) noexcept {
    const std::lock_guard lock{mutex_};
    if (call.waiting) unlink(call);  // else a thread has met it, and left it to us
    call.decide(outcome::stopped);   // After this line call may be gone.
    // edge blocking.calls, release half, as in run().
    calls_.store(calls_.load(std::memory_order_relaxed) - 1, std::memory_order_release);
}

void blocking_threads::run(thread_list::iterator self) noexcept {
    std::unique_lock lock{mutex_};
    for (;;) {
        while (blocking_call* const taken = take()) {
            blocking_call& call = *taken;
            lock.unlock();
            tsan_acquire(&call);
            outside_context = call.task().context;
            call.call(call);
            outside_context = nullptr;
            // Whoever is resumed may call again at once: it must not start a thread beside us.
            lock.lock();
            ++finishing_;
            lock.unlock();
            call.decide(outcome::value);  // After this line call may be gone.
            lock.lock();
            --finishing_;
            // edge blocking.calls, release half (acquire half: the load in calls()). After decide(): who sees
            // no call in progress also sees what the last one made ready.
            calls_.store(calls_.load(std::memory_order_relaxed) - 1, std::memory_order_release);
        }
        if (stopping_ || !wait_idle(lock, self)) break;
    }
    // Still locked. Whoever comes next joins us.
    finished_.splice(finished_.begin(), self->idle ? idle_ : busy_, self);
    alive_.store(alive_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
}

bool blocking_threads::wait_idle(std::unique_lock<std::mutex>& lock,
                                 thread_list::iterator self) noexcept {
    idle_.splice(idle_.begin(), busy_, self);
    self->idle = true;
    self->wake.store(0, std::memory_order_relaxed);
    const auto deadline = clock::now() + keep_alive;
    while (self->idle && !stopping_) {
        const auto left = deadline - clock::now();
        if (left <= clock::duration::zero()) return false;
        lock.unlock();
        futex_wait(self->wake, 0, left);
        lock.lock();
    }
    return !self->idle;
}

void blocking_threads::reap(std::unique_lock<std::mutex>& lock) noexcept {
    thread_list finished;
    finished.swap(finished_);
    if (finished.empty()) return;
    lock.unlock();
    for (thread_entry& t : finished) {
        if (t.thread.joinable()) t.thread.join();  // else stop() is just joining it
    }
    lock.lock();
}

void blocking_threads::stop() noexcept {
    std::unique_lock lock{mutex_};
    stopping_ = true;
    for (thread_entry& t : idle_) {
        t.wake.store(1, std::memory_order_relaxed);
        futex_wake_one(&t.wake);
    }
    while (!busy_.empty() || !idle_.empty()) {
        std::thread& t = (busy_.empty() ? idle_ : busy_).front().thread;
        std::thread joined;
        joined.swap(t);
        lock.unlock();
        joined.join();
        lock.lock();
    }
    for (thread_entry& t : finished_) {
        if (t.thread.joinable()) t.thread.join();
    }
    finished_.clear();
    stopping_ = false;
}

}  // namespace taskscope::detail
