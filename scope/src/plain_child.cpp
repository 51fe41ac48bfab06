// scope/src/plain_child.cpp - the beginning of a child that is no task.
// SPDX-License-Identifier: MIT
#include "observers.hpp"
#include "scope_runtime.hpp"

#include <taskscope/detail/plain_child.hpp>
#include <taskscope/detail/watcher.hpp>

#include <cstdint>

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

/// Of members that are counted in the same place.
struct departures {
    scope_state& scope;
    const scope_state::place place;
    std::uint32_t count = 1;

    bool are_of(const child& c) const noexcept {
        return c.scope == &scope && c.membership() == place;
    }
};

void leave_with_others(scope_state& s, scope_state::place p) noexcept {
    worker& w = *this_worker();
    w.context = nullptr;
    if (w.leaving != nullptr) {  // we were called below
        ++w.leaving->count;
        return;
    }
    departures together{s, p};
    w.leaving = &together;
    while (job* const j = w.take_next()) {
        auto* const next = j->kind == job_kind::child
                               ? static_cast<plain_child*>(static_cast<function_job*>(j))
                               : nullptr;
        if (next == nullptr || !together.are_of(*next)) {
            w.put_back(*j);
            break;
        }
        next->call(*next);
    }
    w.leaving = nullptr;
    s.leave(p, together.count);  // After this line s may be gone.
}

}  // namespace taskscope::detail
