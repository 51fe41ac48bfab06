// tests/model/checker/operations.cpp - what each operation of the program means.
// SPDX-License-Identifier: MIT
#include "runtime.hpp"

#include <algorithm>

namespace model {

std::uint64_t runtime::load(void* address, unsigned size, order o, const void* where) {
    const auto a = reinterpret_cast<std::uintptr_t>(address);
    before(op::load, a, o);
    touched(a, size, touch::atomic_read, where);
    const memory::access done = memory_.load(current_, address, size, o);
    note(op::load, a, o, 0, done.value, where, done.stale);
    return done.value;
}

void runtime::store(void* address, unsigned size, std::uint64_t value, order o, const void* where) {
    const auto a = reinterpret_cast<std::uintptr_t>(address);
    before(op::store, a, o);
    touched(a, size, touch::atomic_write, where);
    const memory::access done = memory_.store(current_, address, size, value, o);
    note(op::store, a, o, value, 0, where, done.stale);
}

bool runtime::compare_exchange(void* address, unsigned size, std::uint64_t& expected,
                               std::uint64_t desired, order success, order failure, bool weak,
                               const void* where) {
    const auto a = reinterpret_cast<std::uintptr_t>(address);
    before(op::compare, a, success);
    touched(a, size, touch::atomic_write, where);
    const bool may_fail = weak && spurious_ < options_.spurious;
    const memory::access done = memory_.compare_exchange(current_, address, size, expected, desired,
                                                         success, failure, may_fail);
    if (!done.stored && done.value == expected) ++spurious_;
    note(op::compare, a, success, desired, done.value, where, done.stale, !done.stored);
    expected = done.value;
    return done.stored;
}

void runtime::fence(order o, const void* where) {
    before(op::fence, 0, o);
    memory_.fence(current_, o);
    note(op::fence, 0, o, 0, 0, where);
}

void runtime::light_fence(const void* where) {
    before(op::light_fence, 0, order::relaxed);
    memory_.light_fence(current_);
    note(op::light_fence, 0, order::relaxed, 0, 0, where);
}

void runtime::heavy_fence(const void* where) {
    before(op::heavy_fence, 0, order::seq_cst);
    memory_.heavy_fence(current_, count_);
    note(op::heavy_fence, 0, order::seq_cst, 0, 0, where);
}

void runtime::touched(std::uintptr_t address, std::size_t size, touch kind, const void* where) {
    const shadow::problem p =
        shadow_.access(current_, memory_.now(current_), address, size, kind, where, memory_);
    if (p.what != nullptr) report(p, address, kind, where);
}

void runtime::report(const shadow::problem& p, std::uintptr_t, touch kind, const void* where) {
    const auto word = [](touch t) {
        switch (t) {
            case touch::read:
                return "read";
            case touch::write:
                return "write";
            case touch::atomic_read:
                return "atomic read";
            case touch::atomic_write:
                return "atomic write";
            case touch::end:
                break;
        }
        return "end of life";
    };
    std::vector<const void*> at{where};
    if (p.where != nullptr) at.push_back(p.where);
    const std::vector<std::string> lines = places(at, true);
    std::string text = std::string(p.what) + "\n  " + word(kind) + " by " +
                       threads_[current_].name + " at " + lines[0];
    if (p.where != nullptr) {
        text += std::string("\n  after ") + word(p.earlier) + " by " + threads_[p.thread].name +
                " at " + lines[1];
    }
    fail(text);
}

void runtime::free(void* block, const void* where) {
    const shadow::problem p = shadow_.free(current_, memory_.now(current_), block, where, memory_);
    if (p.what != nullptr) report(p, p.address, touch::end, where);
}

void runtime::lock(void* mutex, bool recursive, const void* where) {
    const auto a = reinterpret_cast<std::uintptr_t>(mutex);
    const auto me = static_cast<int>(current_);
    const mutex_state& before_lock = mutexes_[a];
    if (before_lock.owner == me && !recursive) fail("a thread locks a mutex that it has locked");
    before(op::lock, a, order::relaxed);
    touched(a, 1, touch::atomic_write, where);
    mutex_state& m = mutexes_[a];
    m.owner = me;
    ++m.depth;
    memory_.acquire_from(current_, m.released);
    note(op::lock, a, order::acquire, 0, 0, where);
}

bool runtime::try_lock(void* mutex, bool recursive, const void* where) {
    const auto a = reinterpret_cast<std::uintptr_t>(mutex);
    before(op::lock, 0, order::relaxed);
    const int owner = mutexes_[a].owner;
    if (owner >= 0 && !(recursive && owner == static_cast<int>(current_))) return false;
    lock(mutex, recursive, where);
    return true;
}

void runtime::unlock(void* mutex, const void* where) {
    const auto a = reinterpret_cast<std::uintptr_t>(mutex);
    before(op::unlock, a, order::relaxed, false);
    touched(a, 1, touch::atomic_write, where);
    mutex_state& m = mutexes_[a];
    if (m.owner != static_cast<int>(current_))
        fail("a thread unlocks a mutex that it has not locked");
    note(op::unlock, a, order::release, 0, 0, where);
    if (--m.depth > 0) return;
    m.owner = -1;
    m.released.clear();
    memory_.release_to(current_, m.released);
}

runtime::wait_end runtime::futex_wait(void* word, std::uint32_t expected, std::int64_t limit,
                                      const void* where) {
    const auto a = reinterpret_cast<std::uintptr_t>(word);
    before(op::futex_wait, a, order::relaxed);
    const auto value = static_cast<std::uint32_t>(memory::newest(word, 4));
    note(op::futex_wait, a, order::relaxed, expected, value, where, false, value != expected);
    if (value != expected) return wait_end::changed;
    if (limit == 0) return wait_end::timed_out;
    if (spurious_ < options_.spurious && search_.choose(2) == 1) {
        ++spurious_;
        return wait_end::spurious;
    }
    fiber& me = threads_[current_];
    me.next = op::futex_sleep;
    me.address = a;
    me.woken = false;
    me.wakes_at = limit < 0 ? -1 : clock_ + limit;
    schedule(false);
    const bool late = me.wakes_at >= 0 && clock_ >= me.wakes_at;
    me.next = op::none;
    me.wakes_at = -1;
    return late ? wait_end::timed_out : wait_end::woken;
}

unsigned runtime::futex_wake(void* word, unsigned count, const void* where) {
    const auto a = reinterpret_cast<std::uintptr_t>(word);
    before(op::futex_wake, a, order::relaxed);
    unsigned woken = 0;
    while (woken < count) {
        candidates_.clear();
        for (unsigned i = 0; i < count_; ++i) {
            const fiber& f = threads_[i];
            if (f.at == state::ready && f.next == op::futex_sleep && f.address == a && !f.woken) {
                candidates_.push_back(i);
            }
        }
        if (candidates_.empty()) break;
        threads_[candidates_[search_.choose(static_cast<unsigned>(candidates_.size()))]].woken =
            true;
        ++woken;
    }
    note(op::futex_wake, a, order::relaxed, woken, 0, where);
    return woken;
}

unsigned runtime::create(void* (*function)(void*), void* argument, const void* where) {
    if (count_ == max_threads) fail("too many threads for the checker");
    const unsigned thread = count_;
    before(op::create, thread, order::relaxed, false);
    note(op::create, 0, order::relaxed, thread, 0, where);
    start(thread);
    ++count_;
    fiber& f = threads_[thread];
    f.function = function;
    f.argument = argument;
    knowledge k;
    memory_.release_to(current_, k);
    memory_.acquire_from(thread, k);
    return thread;
}

void* runtime::join(unsigned thread, const void* where) {
    before(op::join, thread, order::relaxed);
    note(op::join, 0, order::relaxed, thread, 0, where);
    memory_.acquire_from(current_, threads_[thread].at_end);
    return threads_[thread].returned;
}

void runtime::yield(const void* where) {
    threads_[current_].yielded = true;
    before(op::yield, 0, order::relaxed, false);
    note(op::yield, 0, order::relaxed, 0, 0, where);
}

std::int64_t runtime::now(const void*) { return clock_; }

void runtime::advance(std::int64_t by, const void* where) {
    before(op::advance, 0, order::relaxed);
    note(op::advance, 0, order::relaxed, static_cast<std::uint64_t>(by), 0, where);
    clock_ += by;
    for (unsigned i = 0; i < count_; ++i) {
        fiber& f = threads_[i];
        if (f.next == op::futex_sleep && f.wakes_at >= 0 && f.wakes_at <= clock_) f.woken = true;
    }
}

}  // namespace model
