// scope/src/plain_child.cpp - the beginning of a child that is no task.
// SPDX-License-Identifier: MIT
#include "observers.hpp"
#include "scope_runtime.hpp"

#include <taskscope/detail/plain_child.hpp>
#include <taskscope/detail/watcher.hpp>

#include <cstdint>

namespace taskscope::detail {

void prepare_plain(child& c, task_context& context) noexcept {
    const task_context* own = &context;
    if (c.scope->runtime.observed.load(std::memory_order_relaxed)) [[unlikely]]
        own = &c.scope->runtime.all_observers->spawned(c, context);
    c.never_runs = own->stop.stop_requested();
    list(c);
}

bool begin_plain(child& c) noexcept {
    worker& w = *this_worker();
    w.context = &c.context_of(c.scope->context);
    if (is_watched(w)) [[unlikely]]
        take_up(w, c, !c.never_runs);
    return !c.never_runs;
}

job* leave_with_others(scope_state& s, scope_state::place p) noexcept {
    worker& w = *this_worker();
    w.context = nullptr;
    atomic<std::uint32_t>& through = w.called.count;
    through.store(through.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (w.called.group.load(std::memory_order_relaxed) != nullptr)
        return w.next;  // we were called below
    w.called.group.store(&s, std::memory_order_relaxed);
    while (job* const j = w.take_next()) {
        auto* const next = j->kind == job_kind::child
                               ? static_cast<child*>(static_cast<traced_receiver*>(j))
                               : nullptr;
        if (next == nullptr || next->scope != &s || next->membership() != p) {
            w.put_back(*j);
            break;
        }
        worker_counters::add(w.counters.jobs);
        next->done(*next, nullptr);
    }
    w.called.group.store(nullptr, std::memory_order_relaxed);
    const std::uint32_t all = through.load(std::memory_order_relaxed);
    through.store(0, std::memory_order_relaxed);
    s.leave(p, all);  // After this line s may be gone.
    return w.next;
}

}  // namespace taskscope::detail
