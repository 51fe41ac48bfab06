// executor/src/async_event.cpp - the list of an event's waiters, and the three ends of a wait.
// SPDX-License-Identifier: MIT
//
// A wait ends by the event, by a stop, or by its deadline; whoever claims its suspension first ends it. The
// event claims under its mutex. A stop or a deadline that has claimed takes the waiter out of the list, under
// the mutex, before it lets the task go on, so the list never holds a frame that could be gone.
#include "executor_core.hpp"

#include <taskscope/async_event.hpp>

namespace taskscope {

void async_event::set() noexcept {
    detail::event_node* claimed = nullptr;
    detail::event_node** last = &claimed;
    {
        const std::lock_guard lock{mutex_};
        // edge event.set, release half (acquire half: the load in is_set()).
        if (set_.exchange(true, std::memory_order_release)) return;
        for (detail::event_node* n = first_; n != nullptr;) {
            detail::event_node* next = n->next;
            n->linked = false;
            if (n->try_claim()) {
                n->next = nullptr;
                *last = n;
                last = &n->next;
            }
            n = next;
        }
        first_ = last_ = nullptr;
    }
    while (claimed != nullptr) {
        detail::event_node& n = *claimed;
        claimed = n.next;
        happened(n);  // After this line n, and after the last one the event, may be gone.
    }
}

namespace {

struct thread_node : detail::event_node {
    explicit thread_node(async_event& e) noexcept
        : event_node(e, detail::event_waiter::thread, false) {}
    detail::atomic<std::uint32_t> word{0};
};

}  // namespace

// The event has claimed the wait of `n`.
void async_event::happened(detail::event_node& n) noexcept {
    switch (n.kind) {
        case detail::event_waiter::task:
            n.decide(detail::outcome::value);
            break;
        case detail::event_waiter::task_until:
            static_cast<detail::event_deadline_awaiter&>(n).happened();
            break;
        case detail::event_waiter::thread: {
            detail::atomic<std::uint32_t>* bell = &static_cast<thread_node&>(n).word;
            // edge event.thread, release half (acquire half: the load in block()).
            bell->store(1, std::memory_order_release);
            detail::futex_wake_one(bell);  // the thread, and with it the word, may be gone
            break;
        }
    }
}

bool async_event::try_link(detail::event_node& n) noexcept {
    const std::lock_guard lock{mutex_};
    if (set_.load(std::memory_order_relaxed)) return false;  // written under the mutex
    n.prev = last_;
    (last_ != nullptr ? last_->next : first_) = &n;
    last_ = &n;
    n.linked = true;
    return true;
}

void async_event::unlink(detail::event_node& n) noexcept {
    const std::lock_guard lock{mutex_};
    if (!n.linked) return;
    (n.prev != nullptr ? n.prev->next : first_) = n.next;
    (n.next != nullptr ? n.next->prev : last_) = n.prev;
    n.linked = false;
}

bool async_event::blocking_wait(executor& home, std::optional<detail::clock::duration> limit) {
    detail::executor_core& core = detail::executor_access::core(home);
    detail::check_may_block();
    if (!core.manual) return block(limit);
    const auto deadline =
        limit ? detail::saturating_add(home.now(), *limit) : detail::clock::time_point::max();
    while (!is_set() && core.drive_manually(deadline)) {
    }
    return is_set();
}

bool async_event::block(std::optional<detail::clock::duration> limit) noexcept {
    thread_node node(*this);
    if (!try_link(node)) return true;
    const auto deadline = limit ? detail::saturating_add(detail::clock::now(), *limit)
                                : detail::clock::time_point::max();
    // edge event.thread, acquire half (release half: the store above).
    while (node.word.load(std::memory_order_acquire) == 0) {
        auto left = std::chrono::nanoseconds::max();
        if (limit) left = deadline - detail::clock::now();
        if (left <= left.zero() && node.try_claim()) {
            unlink(node);
            return false;
        }
        // After a claim that failed the event is just about to ring.
        detail::futex_wait_as_guest(node.word, 0,
                                    left <= left.zero() ? std::chrono::microseconds(50) : left);
    }
    return true;
}

namespace detail {

event_awaiter::event_awaiter(async_event& e, bool may_stop) noexcept
    : event_node(e, event_waiter::task, may_stop), stop_registration(&event_awaiter::on_stop) {}

void event_awaiter::on_stop(stop_registration& r, stop_pass&) noexcept {
    auto& self = static_cast<event_awaiter&>(r);
    if (!self.try_claim()) return;
    self.event.unlink(self);
    self.decide(outcome::stopped);  // After this line self may be gone.
}

std::coroutine_handle<> event_awaiter::suspend(promise_base& p) noexcept {
    const stop_token stop = stoppable ? p.context->stop : stop_token{};
    if (stop.stop_requested() && !event.is_set()) return stop_here(p);
    begin(p);
    if (!event.try_link(*this)) return this_worker()->transfer(p.handle(), p);
    watch(stop);
    return arm();
}

event_deadline_awaiter::event_deadline_awaiter(async_event& e, clock::time_point t,
                                               bool may_stop) noexcept
    : event_node(e, event_waiter::task_until, may_stop),
      timer_entry(*this,
                  [](timer_entry& entry) noexcept {
                      auto& self = static_cast<event_deadline_awaiter&>(entry);
                      self.event.unlink(self);
                      self.decide(outcome::value);  // After this line self may be gone.
                  }),
      stop_registration(&event_deadline_awaiter::on_stop) {
    deadline = t;
}

void event_deadline_awaiter::happened() noexcept {
    disarm_timer(*task().context->home, *this);
    happened_ = true;
    decide(outcome::value);  // After this line *this may be gone.
}

void event_deadline_awaiter::on_stop(stop_registration& r, stop_pass&) noexcept {
    auto& self = static_cast<event_deadline_awaiter&>(r);
    if (!self.try_claim()) return;
    self.event.unlink(self);
    disarm_timer(*self.task().context->home, self);
    self.decide(outcome::stopped);  // After this line self may be gone.
}

std::coroutine_handle<> event_deadline_awaiter::suspend(promise_base& p) {
    const task_context& context = *p.context;
    const stop_token stop = stoppable ? context.stop : stop_token{};
    happened_ = event.is_set();
    if (!happened_ && stop.stop_requested()) return stop_here(p);
    if (happened_ || deadline <= context.home->now()) {
        return this_worker()->transfer(p.handle(), p);
    }
    begin(p);
    arm_timer(*context.home, *this);  // first: the only step that may throw
    if (!event.try_link(*this)) {
        // The event has happened meanwhile; unless the deadline claims the wait we end it ourselves.
        if (try_claim()) happened();
    } else {
        // The deadline may have claimed the wait, and looked for us in the list, before we were in it.
        if (is_claimed()) event.unlink(*this);
        watch(stop);
    }
    return arm();
}

}  // namespace detail
}  // namespace taskscope
