// scope/src/observer_list.cpp - walking over observers, and removing one that nobody walks over any more.
// SPDX-License-Identifier: MIT
#include "observer_list.hpp"

#include <thread>
#include <utility>

namespace taskscope::detail {

constinit thread_local const walk_mark* innermost_walk = nullptr;

observer_list::observer_list(const executor_core& core, std::size_t workers)
    : core_(core), workers_(workers) {}

observer_list::~observer_list() {
    free_retired(retired_);
    for (auto* e = first_.load(std::memory_order_relaxed); e != nullptr;) {
        const std::unique_ptr<observer_entry> last(e);
        e = e->next.load(std::memory_order_relaxed);
    }
}

observer_list::walk::walk(observer_list& l) noexcept
    : walk_mark{&l, innermost_walk}, list_(l), inner_(is_here(l)) {
    const worker* const w = this_worker();
    if (w != nullptr && w->core == &l.core_) {
        worker_ = &l.workers_[w->index];
        if (!inner_) {
            // edge observers.walked, release half (acquire half: the loads in wait_for_walks()): whoever sees that we
            // have begun again sees also what we read before.
            worker_->number.store(worker_->number.load(std::memory_order_relaxed) + 1,
                                  std::memory_order_release);
            light_barrier();  // edge observers.walk: the number is odd before the list is read
        }
    } else {
        const std::lock_guard lock{l.mutex_};
        ticket_ = ++l.tickets_;
        before_ = std::exchange(l.newest_outsider_, this);
        (before_ != nullptr ? before_->after_ : l.oldest_outsider_) = this;
    }
    innermost_walk = this;
}

observer_list::walk::~walk() {
    innermost_walk = outer;
    if (worker_ != nullptr) {
        if (inner_) return;
        // edge observers.walked, release half (acquire half: the loads in wait_for_walks()): we are through with what we
        // have found.
        worker_->number.store(worker_->number.load(std::memory_order_relaxed) + 1,
                              std::memory_order_release);
    } else {
        const std::lock_guard lock{list_.mutex_};
        (before_ != nullptr ? before_->after_ : list_.oldest_outsider_) = after_;
        (after_ != nullptr ? after_->before_ : list_.newest_outsider_) = before_;
    }
}

bool observer_list::walk::is_here(const observer_list& l) noexcept {
    for (const walk_mark* w = innermost_walk; w != nullptr; w = w->outer) {
        if (w->list == &l) return true;
    }
    return false;
}

std::uint64_t observer_list::add(std::unique_ptr<observer_entry> e) {
    static constinit atomic<std::uint64_t> numbers{0};
    const std::lock_guard lock{mutex_};
    e->number = numbers.fetch_add(1, std::memory_order_relaxed) + 1;
    const std::uint64_t number = e->number;
    atomic<observer_entry*>* end = &first_;
    while (observer_entry* const there = end->load(std::memory_order_relaxed)) end = &there->next;
    // edge observers.entry, release half (acquire half: the loads in for_each()): it is complete.
    end->store(e.release(), std::memory_order_release);
    return number;
}

bool observer_list::remove(std::uint64_t number) noexcept {
    observer_entry* retired = nullptr;
    {
        const std::lock_guard lock{mutex_};
        atomic<observer_entry*>* link = &first_;
        observer_entry* e = link->load(std::memory_order_relaxed);
        while (e != nullptr && e->number != number) {
            link = &e->next;
            e = link->load(std::memory_order_relaxed);
        }
        if (e == nullptr) return false;
        e->removed.store(true, std::memory_order_relaxed);
        // Whoever stands on it goes on from it as before. edge observers.entry, release half (acquire half: the loads
        // in for_each()): for those who meet the next one here first.
        link->store(e->next.load(std::memory_order_relaxed), std::memory_order_release);
        e->next_retired = std::exchange(retired_, e);
        if (walk::is_here(*this)) return true;  // it is freed with one that is removed elsewhere
        retired = std::exchange(retired_, nullptr);
    }
    wait_for_walks();
    free_retired(retired);
    return true;
}

bool observer_list::is_empty() noexcept {
    const std::lock_guard lock{mutex_};
    return first_.load(std::memory_order_relaxed) == nullptr;
}

// Those who walk now, and not those who begin later.
void observer_list::wait_for_walks() noexcept {
    heavy_barrier();  // edge observers.walk: the list is changed before the numbers are read
    for (const worker_walks& w : workers_) {
        // edge observers.walked, acquire half (release half: the stores in walk), here and below.
        const std::uint64_t begun = w.number.load(std::memory_order_acquire);
        if (begun % 2 == 0) continue;
        while (w.number.load(std::memory_order_acquire) == begun) std::this_thread::yield();
    }
    std::uint64_t newest = 0;
    {
        const std::lock_guard lock{mutex_};
        newest = tickets_;
    }
    while (outsider_before(newest)) std::this_thread::yield();
}

bool observer_list::outsider_before(std::uint64_t ticket) noexcept {
    const std::lock_guard lock{mutex_};
    return oldest_outsider_ != nullptr && oldest_outsider_->ticket_ <= ticket;
}

void observer_list::free_retired(observer_entry* e) noexcept {
    while (e != nullptr) {
        const std::unique_ptr<observer_entry> last(e);
        e = e->next_retired;
    }
}

}  // namespace taskscope::detail
