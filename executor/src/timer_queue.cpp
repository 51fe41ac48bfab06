// executor/src/timer_queue.cpp - the heap behind sleep_until().
// SPDX-License-Identifier: MIT
#include "timer_queue.hpp"

namespace taskscope::detail {

bool timer_queue::arm(timer_entry& entry) {
    const std::lock_guard lock{mutex_};
    heap_.emplace_back();  // may throw; nothing has changed then
    sift_up(heap_.size() - 1, {entry.deadline, armed_++, &entry});
    publish();
    return entry.index == 0;
}

void timer_queue::disarm(timer_entry& entry) noexcept {
    const std::lock_guard lock{mutex_};
    if (entry.index == timer_entry::not_queued)
        return;  // fire() had taken it out, too late to claim it
    remove(entry.index);
    publish();
}

bool timer_queue::fire(clock::time_point now) noexcept {
    if (now < earliest()) return false;
    timer_entry* due = nullptr;
    timer_entry** last = &due;
    {
        const std::lock_guard lock{mutex_};
        while (!heap_.empty() && heap_.front().deadline <= now) {
            timer_entry& entry = *heap_.front().entry;
            remove(0);
            if (!entry.wait.try_claim()) continue;  // a stop was faster
            entry.next_due = nullptr;
            *last = &entry;
            last = &entry.next_due;
        }
        publish();
    }
    const bool any = due != nullptr;
    while (due != nullptr) {
        timer_entry& entry = *due;
        due = entry.next_due;
        entry.fired(entry);  // After this line the entry may be gone.
    }
    return any;
}

void timer_queue::put(std::size_t i, place p) noexcept {
    heap_[i] = p;
    p.entry->index = i;
}

void timer_queue::sift_up(std::size_t i, place p) noexcept {
    while (i > 0) {
        const std::size_t up = (i - 1) / 2;
        if (!p.before(heap_[up])) break;
        put(i, heap_[up]);
        i = up;
    }
    put(i, p);
}

void timer_queue::sift_down(std::size_t i, place p) noexcept {
    for (;;) {
        std::size_t down = 2 * i + 1;
        if (down >= heap_.size()) break;
        if (down + 1 < heap_.size() && heap_[down + 1].before(heap_[down])) ++down;
        if (!heap_[down].before(p)) break;
        put(i, heap_[down]);
        i = down;
    }
    put(i, p);
}

void timer_queue::remove(std::size_t i) noexcept {
    heap_[i].entry->index = timer_entry::not_queued;
    const place moved = heap_.back();
    heap_.pop_back();
    if (i == heap_.size()) return;
    if (i > 0 && moved.before(heap_[(i - 1) / 2])) {
        sift_up(i, moved);
    } else {
        sift_down(i, moved);
    }
}

void timer_queue::publish() noexcept {
    const clock::time_point first =
        heap_.empty() ? clock::time_point::max() : heap_.front().deadline;
    earliest_.store(first.time_since_epoch().count(), std::memory_order_relaxed);
    size_.store(heap_.size(), std::memory_order_relaxed);
}

}  // namespace taskscope::detail
