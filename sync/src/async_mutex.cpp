// sync/src/async_mutex.cpp - taking a lock, and handing it to the next in line.
// SPDX-License-Identifier: MIT
#include <taskscope/async_mutex.hpp>

namespace taskscope {

async_mutex::~async_mutex() {
    detail::contract_check(!locked_, "an async_mutex was destroyed while it was locked");
}

async_mutex::guard async_mutex::try_lock() noexcept {
    const std::lock_guard lock{mutex_};
    if (locked_) return {};
    locked_ = true;
    return held();
}

bool async_mutex::begin_lock(detail::mutex_waiter& w) noexcept {
    const std::lock_guard lock{mutex_};
    if (locked_) {
        waiters_.push_back(w);
        return false;
    }
    locked_ = true;
    return true;
}

void async_mutex::release() noexcept {
    detail::mutex_waiter* next = nullptr;
    {
        const std::lock_guard lock{mutex_};
        next = waiters_.claim_one();
        locked_ = next != nullptr;
    }
    if (next != nullptr) detail::woken_list::wake(*next);
}

void async_mutex::withdraw(detail::mutex_waiter& w) noexcept {
    const std::lock_guard lock{mutex_};
    waiters_.remove(w);
}

}  // namespace taskscope
