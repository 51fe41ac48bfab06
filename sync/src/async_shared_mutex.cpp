// sync/src/async_shared_mutex.cpp - one line for readers and writers.
// SPDX-License-Identifier: MIT
#include <taskscope/async_shared_mutex.hpp>

namespace taskscope {

async_shared_mutex::~async_shared_mutex() {
    detail::contract_check(!writing_ && readers_ == 0,
                           "an async_shared_mutex was destroyed while it was locked");
}

// Under the mutex: whoever waits.
bool async_shared_mutex::take(bool exclusive) noexcept {
    if (writing_ || (exclusive && readers_ != 0)) return false;
    if (exclusive) {
        writing_ = true;
    } else {
        ++readers_;
    }
    return true;
}

// Under the mutex: lets go on whoever is first in line and finds the way free.
void async_shared_mutex::serve(detail::woken_list& woken) noexcept {
    while (detail::reader_or_writer* first = waiters_.front()) {
        if (writing_ || (first->exclusive_ && readers_ != 0)) break;
        if (waiters_.claim_front() == nullptr) continue;  // it was stopped
        take(first->exclusive_);
        woken.add(*first);
    }
}

async_shared_mutex::guard async_shared_mutex::try_lock() noexcept {
    const std::lock_guard lock{mutex_};
    return waiters_.empty() && take(true) ? held() : guard();
}

async_shared_mutex::shared_guard async_shared_mutex::try_lock_shared() noexcept {
    const std::lock_guard lock{mutex_};
    return waiters_.empty() && take(false) ? held_shared() : shared_guard();
}

bool async_shared_mutex::begin_lock(detail::reader_or_writer& w) noexcept {
    const std::lock_guard lock{mutex_};
    if (waiters_.empty() && take(w.exclusive_)) return true;
    waiters_.push_back(w);
    return false;
}

void async_shared_mutex::withdraw(detail::reader_or_writer& w) noexcept {
    detail::woken_list woken;
    {
        const std::lock_guard lock{mutex_};
        waiters_.remove(w);
        serve(woken);
    }
    woken.wake();
}

void async_shared_mutex::release() noexcept {
    detail::woken_list woken;
    {
        const std::lock_guard lock{mutex_};
        writing_ = false;
        serve(woken);
    }
    woken.wake();
}

void async_shared_mutex::release_shared() noexcept {
    detail::woken_list woken;
    {
        const std::lock_guard lock{mutex_};
        --readers_;
        serve(woken);
    }
    woken.wake();
}

}  // namespace taskscope
