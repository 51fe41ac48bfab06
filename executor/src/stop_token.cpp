// executor/src/stop_token.cpp - the lists behind stop_source, and the walk through a tree of sources.
// SPDX-License-Identifier: MIT
//
// A request walks the tree with a work list threaded through the sources themselves. A source that is on
// the list, or whose callbacks are just being called, has pass_ set; its destructor waits for that on any
// thread but the walker's, and on the walker's takes it off the list.
#include "futex.hpp"

#include <taskscope/detail/contract.hpp>
#include <taskscope/stop_token.hpp>

namespace taskscope {

namespace detail {

bool stop_registration::try_register(stop_source* source) noexcept {
    const std::lock_guard lock{source->mutex_};
    if (source->requested_.load(std::memory_order_relaxed))
        return false;  // written under the mutex
    source_ = source;
    next_ = source->first_;
    prev_ = nullptr;
    if (next_ != nullptr) next_->prev_ = this;
    source->first_ = this;
    return true;
}

void stop_registration::deregister() noexcept {
    if (source_ == nullptr) return;
    stop_source& source = *std::exchange(source_, nullptr);
    std::unique_lock lock{source.mutex_};
    if (prev_ != nullptr || source.first_ == this) {
        source.unlink(*this);
        return;
    }
    if (source.running_ != this || source.notifier_ == std::this_thread::get_id()) return;
    while (source.running_ == this) {
        source.waited_for_ = true;
        const std::uint32_t seen = source.callbacks_done_.load(std::memory_order_relaxed);
        lock.unlock();
        detail::futex_wait(source.callbacks_done_, seen);  // running_ is looked at again
        lock.lock();
    }
}

}  // namespace detail

stop_source::link::link(stop_source& source) noexcept
    : stop_registration([](stop_registration& r, detail::stop_pass& pass) noexcept {
          static_cast<link&>(r).below.reached_from_above(pass);
      }),
      below(source) {}

stop_source::stop_source(stop_token parent) noexcept {
    if (parent.source_ != nullptr && !link_.try_register(parent.source_)) begin();
}

stop_source::~stop_source() {
    link_.deregister();
    std::unique_lock lock{mutex_};
    while (pass_ != nullptr) {
        if (pass_->thread == std::this_thread::get_id()) {
            // We are inside a callback of the walk that has yet to come to this source.
            detail::contract_check(notifier_ != pass_->thread,
                                   "a stop_source was destroyed by one of its own stop callbacks");
            stop_source** at = &pass_->pending;
            while (*at != this) at = &(*at)->next_pending_;
            *at = next_pending_;
            return;
        }
        lock.unlock();
        std::this_thread::
            yield();  // a walk on another thread is passing through; callbacks are short
        lock.lock();
    }
}

void stop_source::detach() noexcept { link_.deregister(); }

bool stop_source::begin() noexcept {
    const std::lock_guard lock{mutex_};
    if (requested_.load(std::memory_order_relaxed)) return false;
    // edge stop.request, release half (acquire half: the load in stop_requested()). What the requester
    // did before is visible to whoever sees the request.
    requested_.store(true, std::memory_order_release);
    return true;
}

bool stop_source::request_stop() noexcept {
    if (!begin()) return false;
    detail::stop_pass pass;
    notify(pass);
    while (pass.pending != nullptr) {
        stop_source& source = *pass.pending;
        pass.pending = source.next_pending_;
        source.notify(pass);
        const std::lock_guard lock{source.mutex_};
        source.pass_ = nullptr;
        // Once the mutex is free, source may be gone.
    }
    return true;
}

void stop_source::notify(detail::stop_pass& pass) noexcept {
    std::unique_lock lock{mutex_};
    notifier_ = pass.thread;
    while (first_ != nullptr) {
        detail::stop_registration& r = *first_;
        unlink(r);
        running_ = &r;
        lock.unlock();
        r.call_(r, pass);  // may destroy r
        lock.lock();
        running_ = nullptr;
        if (waited_for_) {
            waited_for_ = false;
            callbacks_done_.fetch_add(1, std::memory_order_relaxed);  // guarded by the mutex
            detail::futex_wake_one(&callbacks_done_);  // only the owner of r waits for r
        }
    }
    notifier_ = {};
}

void stop_source::reached_from_above(detail::stop_pass& pass) noexcept {
    const std::lock_guard lock{mutex_};
    if (requested_.load(std::memory_order_relaxed)) return;  // stopped on its own before
    // edge stop.request, release half, as in begin().
    requested_.store(true, std::memory_order_release);
    pass_ = &pass;
    next_pending_ = pass.pending;
    pass.pending = this;
}

void stop_source::unlink(detail::stop_registration& r) noexcept {
    if (r.prev_ != nullptr) {
        r.prev_->next_ = r.next_;
    } else {
        first_ = r.next_;
    }
    if (r.next_ != nullptr) r.next_->prev_ = r.prev_;
    r.next_ = r.prev_ = nullptr;
}

}  // namespace taskscope
