// sync/src/async_auto_event.cpp - one waiter for each time that it happens.
// SPDX-License-Identifier: MIT
#include <taskscope/async_auto_event.hpp>

#include <mutex>
#include <utility>

namespace taskscope {

void async_auto_event::set() noexcept {
    detail::auto_event_waiter* first = nullptr;
    {
        const std::lock_guard lock{mutex_};
        first = waiters_.claim_one();
        if (first == nullptr) set_ = true;
    }
    if (first != nullptr) detail::woken_list::wake(*first);
}

bool detail::auto_event_waiter::take_or_join() noexcept {
    const std::lock_guard lock{event_.mutex_};
    const bool was_set = std::exchange(event_.set_, false);
    if (!was_set) event_.waiters_.push_back(*this);
    return was_set;
}

void detail::auto_event_waiter::withdraw() noexcept {
    const std::lock_guard lock{event_.mutex_};
    event_.waiters_.remove(*this);
}

}  // namespace taskscope
