// sync/src/async_condition.cpp - waiting without the mutex, and being told.
// SPDX-License-Identifier: MIT
#include <taskscope/async_condition.hpp>

#include <mutex>

namespace taskscope {

bool detail::condition_waiter::take_or_join() noexcept {
    {
        const std::lock_guard lock{condition_.mutex_};
        condition_.waiters_.push_back(*this);
    }
    // Only now: who changes what we wait for needs the mutex, and then finds us in the line.
    held_.unlock();
    return false;
}

void detail::condition_waiter::withdraw() noexcept {
    const std::lock_guard lock{condition_.mutex_};
    condition_.waiters_.remove(*this);
}

void async_condition::notify_one() noexcept {
    detail::condition_waiter* first = nullptr;
    {
        const std::lock_guard lock{mutex_};
        first = waiters_.claim_one();
    }
    if (first != nullptr) detail::woken_list::wake(*first);
}

void async_condition::notify_all() noexcept {
    detail::woken_list woken;
    {
        const std::lock_guard lock{mutex_};
        woken.add_all(waiters_);
    }
    woken.wake();
}

}  // namespace taskscope
