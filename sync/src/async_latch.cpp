// sync/src/async_latch.cpp - counting down, and who waits for the end of it.
// SPDX-License-Identifier: MIT
#include <taskscope/async_latch.hpp>

#include <cstddef>
#include <mutex>

namespace taskscope {

void async_latch::count_down(std::size_t n) noexcept {
    detail::woken_list woken;
    {
        const std::lock_guard lock{mutex_};
        detail::contract_check(n <= left_, "an async_latch was counted down below zero");
        left_ -= n;
        if (left_ == 0) woken.add_all(waiters_);
    }
    woken.wake();
}

bool async_latch::try_wait() const noexcept {
    const std::lock_guard lock{mutex_};
    return left_ == 0;
}

bool detail::latch_waiter::take_or_join() noexcept {
    const std::lock_guard lock{latch_.mutex_};
    if (latch_.left_ == 0) return true;
    latch_.waiters_.push_back(*this);
    return false;
}

void detail::latch_waiter::withdraw() noexcept {
    const std::lock_guard lock{latch_.mutex_};
    latch_.waiters_.remove(*this);
}

}  // namespace taskscope
