// scope/src/admission.cpp - places, and the line of those who wait for one.
// SPDX-License-Identifier: MIT
//
// Everything is decided under one mutex. A place is given to the first in line in the step in which it becomes free;
// whoever got one and was stopped at that moment gives it back by the destructor of its waiter, and so to the next.
// Events are set under the mutex, and a waiter takes it before it goes: set() has returned then.
#include <taskscope/admission.hpp>
#include <taskscope/yield.hpp>

namespace taskscope {
namespace {

const char* text(refusal why) noexcept {
    switch (why) {
        case refusal::full:
            break;
        case refusal::queue_full:
            return " has as many spawners in line as it may have";
        case refusal::too_late:
            return " had no place in all the time a spawner may wait";
    }
    return " is full";
}

}  // namespace

admission_refused::admission_refused(refusal why, const std::string& scope_path)
    : std::runtime_error("taskscope: scope " + scope_path + text(why)), reason_(why) {}

namespace detail {

admission_state::admission_state(scope_reference s, const admission_limits& limits)
    : scope_(std::move(s)), limits_(limits) {}

void admission_state::set_limits(const admission_limits& limits) noexcept {
    const std::lock_guard lock{mutex_};
    limits_ = limits;
    serve();
}

admission_info admission_state::info() const {
    const std::lock_guard lock{mutex_};
    return {limits_, counts_};
}

void admission_state::close() noexcept {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    while (first_ != nullptr) {
        waiter& w = *first_;
        unlink(w);
        w.ready.set();
    }
}

admission_place admission_state::try_enter(const std::shared_ptr<admission_state>& self) noexcept {
    admission_state& s = *self;
    const std::lock_guard lock{s.mutex_};
    if (s.first_ != nullptr || !s.has_place()) {
        ++s.counts_.full;
        return {};
    }
    return {self, s.take_place()};
}

task<admission_place> admission_state::enter(std::shared_ptr<admission_state> self) {
    co_await checkpoint();
    waiter w(*self);
    const clock::time_point until = self->end_of_patience();
    if (until == clock::time_point::max()) {
        co_await w.ready.wait();
    } else {
        [[maybe_unused]] const bool in_time = co_await w.ready.wait_until(until);
    }
    const std::uint64_t bytes = self->claim(w);
    co_return admission_place(std::move(self), bytes);
}

// A spawner takes a place at once, if nobody is before it, or joins the line.
void admission_state::join(waiter& w) {
    std::unique_lock lock{mutex_};
    if (closed_) {
        lock.unlock();
        throw_scope_closed(*scope_);
    }
    const bool at_once = first_ == nullptr && has_place();
    if (!at_once && counts_.waiting >= limits_.max_waiting) {
        ++counts_.queue_full;
        lock.unlock();
        throw admission_refused(refusal::queue_full, scope_->path());
    }
    w.prev_ = last_;
    (last_ != nullptr ? last_->next_ : first_) = &w;
    last_ = &w;
    w.linked_ = true;
    ++counts_.waiting;
    if (at_once) serve();
}

// Its wait is over, and not because it was stopped: what its place is charged with.
std::uint64_t admission_state::claim(waiter& w) {
    std::unique_lock lock{mutex_};
    if (std::exchange(w.admitted_, false)) return w.bytes_;
    const bool closed = closed_;
    if (!closed) ++counts_.too_late;
    lock.unlock();
    if (closed) throw_scope_closed(*scope_);
    throw admission_refused(refusal::too_late, scope_->path());
}

void admission_state::withdraw(waiter& w) noexcept {
    const std::lock_guard lock{mutex_};
    if (w.linked_) unlink(w);
    if (w.admitted_) give_back(w.bytes_);  // it was stopped in the moment it was admitted
}

clock::time_point admission_state::end_of_patience() const {
    const std::lock_guard lock{mutex_};
    return saturating_add(scope_->context.home->now(), limits_.max_wait);
}

// These are called under the mutex.

bool admission_state::has_place() const noexcept {
    return counts_.live < limits_.max_live && counts_.bytes < limits_.max_bytes;
}

std::uint64_t admission_state::take_place() noexcept {
    ++counts_.live;
    ++counts_.admitted;
    counts_.bytes += expected_;
    return expected_;
}

void admission_state::give_back(std::uint64_t bytes) noexcept {
    --counts_.live;
    counts_.bytes -= bytes;
    serve();
}

void admission_state::serve() noexcept {
    while (first_ != nullptr && has_place()) {
        waiter& w = *first_;
        unlink(w);
        w.bytes_ = take_place();
        w.admitted_ = true;
        w.ready.set();
    }
}

void admission_state::unlink(waiter& w) noexcept {
    (w.prev_ != nullptr ? w.prev_->next_ : first_) = w.next_;
    (w.next_ != nullptr ? w.next_->prev_ : last_) = w.prev_;
    w.linked_ = false;
    --counts_.waiting;
}

}  // namespace detail

admission_place::~admission_place() {
    if (state_ == nullptr) return;
    const std::lock_guard lock{state_->mutex_};
    state_->give_back(bytes_);
}

void admission_place::set_bytes(std::uint64_t bytes) noexcept {
    const std::lock_guard lock{state_->mutex_};
    state_->counts_.bytes += bytes - bytes_;  // modulo 2^64: also when it is less
    state_->expected_ = bytes;
    bytes_ = bytes;
    state_->serve();
}

admission::admission(task_scope& scope, const admission_limits& limits)
    : state_(std::make_shared<detail::admission_state>(
          detail::scope_reference::retain(detail::scope_access::state(scope)), limits)),
      on_close_(scope.closing_token(), closer{state_.get()}) {
    if (!state_->scope().set_admission(nullptr, state_)) {
        throw misuse_error("taskscope: scope " + scope.path() +
                           " was given a second admission. A scope has one door; share it.");
    }
}

admission::~admission() { state_->scope().set_admission(state_, nullptr); }

}  // namespace taskscope
