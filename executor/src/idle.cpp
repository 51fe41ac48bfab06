// executor/src/idle.cpp - transitions between searching, sleeping and awake.
// SPDX-License-Identifier: MIT
#include "idle.hpp"

namespace taskscope::detail {

bool idle_state::try_start_search(worker& w) noexcept {
    if (w.searching) return true;
    if (searching_.load(std::memory_order_relaxed) >= searcher_limit_) return false;
    // relaxed: a push that counts on us needs no more than the look that follows the end of our search; or, if
    // we do not search, the one before we block.
    w.searching = searching_.fetch_add(1, std::memory_order_relaxed) < searcher_limit_;
    if (!w.searching) searching_.fetch_sub(1, std::memory_order_relaxed);
    return w.searching;
}

bool idle_state::stop_search(worker& w) noexcept {
    if (!w.searching) return false;
    w.searching = false;
    // edge idle.search: the retraction comes before the last look into the queues, against a push that then
    // reads searching_ in should_wake(): one of the two sees the other.
    const bool last = searching_.fetch_sub(1, std::memory_order_relaxed) == 1;
    if (last) full_fence();
    return last;
}

bool idle_state::announce(worker& w) noexcept {
    const std::lock_guard lock{mutex_};
    w.wake_word.store(0, std::memory_order_relaxed);
    w.asleep = true;
    const bool drives = driver_ == nullptr;
    if (drives) {
        driver_ = &w;
    } else {
        w.next_sleeper = sleepers_;
        sleepers_ = &w;
    }
    sleeping_.fetch_add(1,
                        std::memory_order_relaxed);  // ordered by the heavy_barrier() that follows
    return drives;
}

void idle_state::retract(worker& w) noexcept {
    const std::lock_guard lock{mutex_};
    if (!w.asleep) {  // woken: whoever woke it has taken it out, and has counted it
        w.searching = true;
        return;
    }
    if (driver_ == &w) {
        remove_driver();
        return;
    }
    worker** at = &sleepers_;
    while (*at != &w) at = &(*at)->next_sleeper;
    *at = w.next_sleeper;
    w.asleep = false;
    sleeping_.fetch_sub(1, std::memory_order_relaxed);
}

worker* idle_state::take_sleeper() noexcept {
    worker* w = sleepers_;
    if (w == nullptr) return nullptr;
    sleepers_ = w->next_sleeper;
    w->asleep = false;
    sleeping_.fetch_sub(1, std::memory_order_relaxed);
    searching_.fetch_add(
        1, std::memory_order_relaxed);  // on behalf of w; it is stop_search() that counts
    return w;
}

worker* idle_state::take_driver() noexcept {
    worker* w = driver_;
    if (w == nullptr) return nullptr;
    remove_driver();
    searching_.fetch_add(1, std::memory_order_relaxed);  // as in take_sleeper()
    return w;
}

void idle_state::remove_driver() noexcept {
    driver_->asleep = false;
    driver_ = nullptr;
    sleeping_.fetch_sub(1, std::memory_order_relaxed);
}

void idle_state::wake(worker& w, bool in_reactor) noexcept {
    wakes_.fetch_add(1, std::memory_order_relaxed);
    // relaxed: a bell. What the waker did before is visible by the mutex, which the woken takes in retract().
    // Workers outlive whoever wakes them: they are joined last.
    w.wake_word.store(1, std::memory_order_relaxed);
    // A driver may sleep on its wake_word although there is a reactor: it went to sleep before attach(), or
    // another worker is in the reactor.
    futex_wake_one(&w.wake_word);
    if (!in_reactor) return;
    reactor* r = io.load(std::memory_order_acquire);  // edge executor.reactor, acquire half
    if (r != nullptr) r->interrupt();
}

void idle_state::wake_one() noexcept {
    std::unique_lock lock{mutex_};
    if (worker* w = take_sleeper()) {
        lock.unlock();
        wake(*w, false);
    } else if (worker* d = take_driver()) {
        lock.unlock();
        wake(*d, true);
    }
}

void idle_state::wake_driver() noexcept {
    std::unique_lock lock{mutex_};
    if (worker* d = take_driver()) {
        lock.unlock();
        wake(*d, true);
    } else if (worker* w = take_sleeper()) {
        lock.unlock();
        wake(*w, false);
    }
}

void idle_state::appoint_driver() noexcept {
    std::unique_lock lock{mutex_};
    if (driver_ != nullptr) return;
    if (worker* w = take_sleeper()) {
        lock.unlock();
        wake(*w, false);
    }
}

void idle_state::wake_all() noexcept {
    while (sleeping_.load(std::memory_order_relaxed) != 0) wake_one();
}

}  // namespace taskscope::detail
