// sync/src/async_semaphore.cpp - counting permits, and who may go on.
// SPDX-License-Identifier: MIT
#include <taskscope/async_semaphore.hpp>

#include <algorithm>
#include <cstddef>
#include <mutex>

namespace taskscope {

// Under the mutex: `n` permits if there are so many, whoever waits.
bool async_semaphore::take(std::size_t n) noexcept {
    if (available_ < static_cast<std::ptrdiff_t>(n)) return false;
    available_ -= static_cast<std::ptrdiff_t>(n);
    return true;
}

// Under the mutex: lets go on whoever is first in line and finds enough.
void async_semaphore::serve(detail::woken_list& woken) noexcept {
    while (detail::semaphore_waiter* first = waiters_.front()) {
        if (available_ < static_cast<std::ptrdiff_t>(first->wanted_)) break;
        if (waiters_.claim_front() == nullptr) continue;  // it was stopped
        first->granted_ = take(first->wanted_);
        woken.add(*first);
    }
}

async_permit async_semaphore::try_acquire(std::size_t n) noexcept {
    const std::lock_guard lock{mutex_};
    if (closed_ || !waiters_.empty() || !take(n)) return {};
    return {*this, n};
}

bool async_semaphore::begin_acquire(detail::semaphore_waiter& w) noexcept {
    const std::lock_guard lock{mutex_};
    if (closed_) return true;
    w.granted_ = waiters_.empty() && take(w.wanted_);
    if (!w.granted_) waiters_.push_back(w);
    return w.granted_;
}

void async_semaphore::withdraw(detail::semaphore_waiter& w) noexcept {
    detail::woken_list woken;
    {
        const std::lock_guard lock{mutex_};
        waiters_.remove(w);
        serve(woken);
    }
    woken.wake();
}

void async_semaphore::give_back(std::size_t n) noexcept {
    detail::woken_list woken;
    {
        const std::lock_guard lock{mutex_};
        available_ += static_cast<std::ptrdiff_t>(n);
        serve(woken);
    }
    woken.wake();
}

void async_semaphore::set_limit(std::size_t limit) noexcept {
    detail::woken_list woken;
    {
        const std::lock_guard lock{mutex_};
        available_ += static_cast<std::ptrdiff_t>(limit) - static_cast<std::ptrdiff_t>(limit_);
        limit_ = limit;
        serve(woken);
    }
    woken.wake();
}

std::size_t async_semaphore::limit() const noexcept {
    const std::lock_guard lock{mutex_};
    return limit_;
}

std::size_t async_semaphore::available() const noexcept {
    const std::lock_guard lock{mutex_};
    return static_cast<std::size_t>(std::max<std::ptrdiff_t>(available_, 0));
}

void async_semaphore::close() noexcept {
    detail::woken_list woken;
    {
        const std::lock_guard lock{mutex_};
        closed_ = true;
        woken.add_all(waiters_);
    }
    woken.wake();
}

}  // namespace taskscope
