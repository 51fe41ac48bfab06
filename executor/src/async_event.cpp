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
        // edge event.set, release half (acquire half: the loads in is_set() and try_link()).
        if (set_.exchange(true, std::memory_order_release)) return;
        for (detail::event_node* n = first_; n != nullptr;) {
            detail::event_node* next = n->next;
            n->linked = false;
            if (n->wait.try_claim()) {
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
        n.happened(n);  // After this line n, and after the last one the event, may be gone.
    }
}

bool async_event::try_link(detail::event_node& n) noexcept {
    const std::lock_guard lock{mutex_};
    // edge event.set, acquire half (release half: the exchange in set()).
    if (set_.load(std::memory_order_acquire)) return false;
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
    if (!core.manual) {
        if (detail::this_worker() != nullptr) {
            throw misuse_error(
                "taskscope: a blocking wait was called on a worker. co_await instead.");
        }
        return block(limit);
    }
    const auto deadline =
        limit ? detail::saturating_add(home.now(), *limit) : detail::clock::time_point::max();
    while (!is_set() && core.drive_manually(deadline)) {
    }
    return is_set();
}

bool async_event::block(std::optional<detail::clock::duration> limit) noexcept {
    struct thread_node : detail::event_node {
        explicit thread_node(async_event& e) noexcept
            : event_node(e, claim, [](event_node& n) noexcept {
                  detail::atomic<std::uint32_t>* bell = &static_cast<thread_node&>(n).word;
                  // edge event.thread, release half (acquire half: the load below).
                  bell->store(1, std::memory_order_release);
                  detail::futex_wake_one(bell);  // the thread, and with it the word, may be gone
              }) {}
        detail::suspension claim;
        detail::atomic<std::uint32_t> word{0};
    };
    thread_node node(*this);
    if (!try_link(node)) return true;
    const auto deadline = limit ? detail::saturating_add(detail::clock::now(), *limit)
                                : detail::clock::time_point::max();
    // edge event.thread, acquire half (release half: the store above).
    while (node.word.load(std::memory_order_acquire) == 0) {
        auto left = std::chrono::nanoseconds::max();
        if (limit) left = deadline - detail::clock::now();
        if (left <= left.zero() && node.claim.try_claim()) {
            unlink(node);
            return false;
        }
        // After a claim that failed the event is just about to ring.
        detail::futex_wait(node.word, 0,
                           left <= left.zero() ? std::chrono::microseconds(50) : left);
    }
    return true;
}

namespace detail {

event_awaiter::event_awaiter(async_event& e, bool stoppable) noexcept
    : event_node(e, wait_,
                 [](event_node& n) noexcept {
                     static_cast<event_awaiter&>(n).wait_.decide(outcome::value);
                 }),
      stoppable_(stoppable) {}

void event_awaiter::on_stop::operator()() const noexcept {
    if (!self->wait_.try_claim()) return;
    self->event.unlink(*self);
    self->wait_.decide(outcome::stopped);  // After this line *self may be gone.
}

std::coroutine_handle<> event_awaiter::suspend(promise_base& p) noexcept {
    const stop_token stop = stoppable_ ? p.context->stop : stop_token{};
    if (stop.stop_requested() && !event.is_set()) return stop_here(p);
    wait_.begin(p);
    if (!event.try_link(*this)) return this_worker()->transfer(p.handle(), p);
    if (stoppable_) stop_.emplace(stop, on_stop{this});
    return wait_.arm();
}

event_deadline_awaiter::timer::timer(event_deadline_awaiter& a) noexcept
    : timer_entry([](timer_entry& t) noexcept {
          event_deadline_awaiter& waiter = static_cast<timer&>(t).self;
          waiter.event.unlink(waiter);
          waiter.timer_.wait.decide(outcome::value);  // After this line waiter may be gone.
      }),
      self(a) {}

event_deadline_awaiter::event_deadline_awaiter(async_event& e, clock::time_point deadline,
                                               bool stoppable) noexcept
    : event_node(e, timer_.wait,
                 [](event_node& n) noexcept {
                     auto& self = static_cast<event_deadline_awaiter&>(n);
                     disarm_timer(*self.timer_.wait.task().context->home, self.timer_);
                     self.happened_ = true;
                     self.timer_.wait.decide(outcome::value);
                 }),
      stoppable_(stoppable),
      timer_(*this) {
    timer_.deadline = deadline;
}

void event_deadline_awaiter::on_stop::operator()() const noexcept {
    if (!self->timer_.wait.try_claim()) return;
    self->event.unlink(*self);
    disarm_timer(*self->timer_.wait.task().context->home, self->timer_);
    self->timer_.wait.decide(outcome::stopped);  // After this line *self may be gone.
}

std::coroutine_handle<> event_deadline_awaiter::suspend(promise_base& p) {
    const task_context& context = *p.context;
    const stop_token stop = stoppable_ ? context.stop : stop_token{};
    happened_ = event.is_set();
    if (!happened_ && stop.stop_requested()) return stop_here(p);
    if (happened_ || timer_.deadline <= context.home->now()) {
        return this_worker()->transfer(p.handle(), p);
    }
    timer_.wait.begin(p);
    arm_timer(*context.home, timer_);  // first: the only step that may throw
    if (!event.try_link(*this)) {
        // The event has happened meanwhile; unless the deadline claims the wait we end it ourselves.
        if (timer_.wait.try_claim()) happened(*this);
        return timer_.wait.arm();
    }
    if (stoppable_) stop_.emplace(stop, on_stop{this});
    return timer_.wait.arm();
}

}  // namespace detail
}  // namespace taskscope
