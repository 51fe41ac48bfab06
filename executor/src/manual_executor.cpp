// executor/src/manual_executor.cpp - the steps of an executor without threads.
// SPDX-License-Identifier: MIT
#include "executor_core.hpp"

#include <taskscope/manual_executor.hpp>

namespace taskscope {

bool manual_executor::run_one() { return detail::executor_access::core(*this).run_one_manually(); }

std::size_t manual_executor::run_ready() {
    std::size_t jobs = 0;
    while (run_one()) ++jobs;
    return jobs;
}

std::size_t manual_executor::advance_to(clock::time_point t) {
    detail::executor_core& core = detail::executor_access::core(*this);
    std::size_t jobs = run_ready();
    while (core.advance_manually(t)) jobs += run_ready();
    return jobs;
}

bool manual_executor::idle() const noexcept {
    const detail::executor_core& core = detail::executor_access::core(*this);
    return core.injected.looks_empty() && core.workers.front()->queue.looks_empty() &&
           core.timers.size() == 0;
}

}  // namespace taskscope
