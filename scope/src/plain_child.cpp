// scope/src/plain_child.cpp - the beginning of a child that is no task.
// SPDX-License-Identifier: MIT
#include "observers.hpp"
#include "scope_runtime.hpp"

#include <taskscope/detail/plain_child.hpp>
#include <taskscope/detail/watcher.hpp>

namespace taskscope::detail {

void prepare_plain(plain_child& c, task_context& context) noexcept {
    const task_context* own = &context;
    if (c.scope->runtime.observed.load(std::memory_order_relaxed)) [[unlikely]]
        own = &c.scope->runtime.all_observers->spawned(c, context);
    c.never_runs = own->stop.stop_requested();
    list(c);
}

bool begin_plain(plain_child& c) noexcept {
    worker& w = *this_worker();
    w.context = &c.context_of(c.scope->context);
    if (is_watched(w)) [[unlikely]]
        take_up(w, c, !c.never_runs);
    return !c.never_runs;
}

}  // namespace taskscope::detail
