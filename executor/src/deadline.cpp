// executor/src/deadline.cpp - a deadline against the end of its task, and against being moved.
// SPDX-License-Identifier: MIT
//
// Three may meet: the timer queue that fires, on a worker; the task that ends, on another; and whoever moves the
// deadline. The queue claims `claim_` before it calls fire(), everybody else before disarming, under the mutex.
// If the task ends while the queue has the claim, fire() is left to go on with the parent: nobody waits, and the
// deadline is not destroyed under the feet of the thread that fires.
#include <taskscope/deadline.hpp>
#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/current.hpp>

#include <algorithm>
#include <memory>
#include <new>

namespace taskscope {

deadline::deadline(clock::time_point at) noexcept
    : timer_entry(claim_, [](timer_entry& t) noexcept { static_cast<deadline&>(t).fire(); }),
      at_(at.time_since_epoch().count()) {}

deadline::~deadline() {
    detail::contract_check(parent_ == nullptr || over_,
                           "a deadline was destroyed before its task has ended");
}

void deadline::begin(detail::promise_base& p) {
    const std::lock_guard lock{mutex_};
    if (parent_ != nullptr) {
        throw misuse_error(
            "taskscope: a deadline was given to a second task. Make one for each task.");
    }
    context_ = *p.context;
    const bool passed = get() <= context_.home->now();
    if (!passed) arm();  // the only step that may throw; firing has to wait for the mutex
    parent_ = &p;
    stop_ = &source_.emplace(context_.stop);
    context_.stop = stop_->token();
    up_ = context_.limit;
    context_.limit = this;
    if (passed) {
        requested_ = true;  // nobody listens yet: the task's first suspension will look
        expired_.store(stop_->request_stop(), std::memory_order_relaxed);
    }
}

bool deadline::move_to(clock::time_point at) {
    const std::lock_guard lock{mutex_};
    if (requested_ || over_) return false;
    at_.store(at.time_since_epoch().count(), std::memory_order_relaxed);
    if (armed_) {
        if (!claim_.try_claim()) return true;  // it is about to fire, and will look when
        detail::disarm_timer(*context_.home, *this);
        armed_ = false;
    }
    if (parent_ != nullptr) arm();
    return true;
}

bool deadline::end(bool stopped) noexcept {
    std::unique_lock lock{mutex_};
    over_ = true;
    stopped_ = stopped;
    if (armed_) {
        if (!claim_.try_claim()) return false;
        detail::disarm_timer(*context_.home, *this);
        armed_ = false;
    }
    lock.unlock();
    finish();
    return true;
}

void deadline::arm() {
    if (get() == clock::time_point::max()) return;
    std::destroy_at(&claim_);
    std::construct_at(&claim_);
    timer_entry::deadline = get();
    detail::arm_timer(*context_.home, *this);
    armed_ = true;
}

// Called by the timer queue.
void deadline::fire() noexcept {
    std::unique_lock lock{mutex_};
    if (!over_ && get() > context_.home->now()) {  // was moved while the queue took it out
        armed_ = false;
        try {
            return arm();
        } catch (const std::bad_alloc&) {
            armed_ = true;  // too early is better than never
        }
    }
    if (!over_) {
        requested_ = true;
        lock.unlock();
        const bool first = stop_->request_stop();
        lock.lock();
        expired_.store(first, std::memory_order_relaxed);
    }
    armed_ = false;
    if (!over_) return;
    lock.unlock();
    finish();
    detail::schedule(*context_.home, *parent_);  // After this line *this may be gone.
}

// By the one who ends it, without the mutex: callbacks may want to move us, in vain.
void deadline::finish() noexcept {
    // The timer may be late: a deadline below, of the same time, has fired and left the decision to us.
    if (stopped_ && !requested_ && get() <= context_.home->now() && stop_->request_stop()) {
        expired_.store(true, std::memory_order_relaxed);
    }
    stop_->detach();  // and stays: arguments of the task may still hold callbacks
}

deadline::clock::time_point current_deadline() noexcept {
    auto earliest = deadline::clock::time_point::max();
    const detail::task_context* context = detail::current_context();
    if (context == nullptr) return earliest;
    for (const deadline* d = context->limit; d != nullptr; d = d->up_) {
        earliest = std::min(earliest, d->get());
    }
    return earliest;
}

deadline::clock::duration remaining() noexcept {
    const auto until = current_deadline();
    if (until == deadline::clock::time_point::max()) return deadline::clock::duration::max();
    return until - detail::current_context()->home->now();
}

}  // namespace taskscope
