// sync/src/wait_list.cpp - the beginning of a wait, and its end by a stop.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/wait_list.hpp>

namespace taskscope::detail {

void waiter::on_stop(stop_registration& r, stop_pass&) noexcept {
    auto& self = static_cast<waiter&>(r);
    if (!self.try_claim()) return;
    self.withdraw();
    self.decide(outcome::stopped);  // After this line self may be gone.
}

std::coroutine_handle<> waiter::suspend(promise_base& p) noexcept {
    const stop_token stop = p.context->stop;
    if (stop.stop_requested()) return stop_here(p);
    begin(p);
    if (take_or_join()) return this_worker()->transfer(p.handle(), p);
    watching_ = true;
    watch(stop);
    return arm();
}

}  // namespace taskscope::detail
