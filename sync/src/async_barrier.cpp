// sync/src/async_barrier.cpp - arriving, and the end of a phase.
// SPDX-License-Identifier: MIT
#include <taskscope/async_barrier.hpp>

#include <cstddef>
#include <mutex>

namespace taskscope {

async_barrier::async_barrier(std::size_t participants) noexcept : participants_(participants) {
    detail::contract_check(participants > 0, "an async_barrier was made for nobody");
}

bool detail::barrier_waiter::take_or_join() noexcept {
    woken_list woken;
    {
        const std::lock_guard lock{barrier_.mutex_};
        contract_check(barrier_.participants_ > 0,
                       "all participants of an async_barrier have left");
        last_ = ++barrier_.arrived_ == barrier_.participants_;
        if (!last_) {
            barrier_.waiters_.push_back(*this);
            return false;
        }
        barrier_.arrived_ = 0;
        woken.add_all(barrier_.waiters_);
    }
    woken.wake();
    return true;
}

void detail::barrier_waiter::withdraw() noexcept {
    const std::lock_guard lock{barrier_.mutex_};
    if (barrier_.waiters_.remove(*this)) --barrier_.arrived_;  // else the phase has ended since
}

void async_barrier::leave() noexcept {
    detail::woken_list woken;
    {
        const std::lock_guard lock{mutex_};
        detail::contract_check(participants_ > 0, "all participants of an async_barrier have left");
        --participants_;
        if (arrived_ == 0 || arrived_ != participants_) return;
        arrived_ = 0;
        if (detail::barrier_waiter* first = waiters_.claim_one()) {
            first->last_ = true;
            woken.add(*first);
        }
        woken.add_all(waiters_);
    }
    woken.wake();
}

}  // namespace taskscope
