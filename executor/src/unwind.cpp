// executor/src/unwind.cpp - a stop on its way from a suspended leaf to whoever wants to know.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/promise.hpp>

#include <algorithm>

namespace taskscope::detail {

job* unwind(promise_base& leaf) noexcept {
    for (promise_base* p = &leaf;;) {
        switch (p->reports_to) {
            case completion::awaited: {
                promise_base* up = p->awaiting;
                p->unwind_frame();
                p = up;
                break;
            }
            case completion::branch: {
                join_block& join = *p->join;
                const std::uint32_t index = p->branch;
                const bool flow = (p->flags & promise_base::inline_branch) != 0;
                p->unwind_frame();
                // relaxed: ordered by join.complete.
                join.stopped.store(true, std::memory_order_relaxed);
                return join.report(index, flow, *this_worker());
            }
            case completion::receiver: {
                receiver& r = *p->recv;
                p->unwind_frame();
                return r.done(r, nullptr);
            }
            case completion::none:
                return nullptr;
        }
    }
}

void join_block::mark_parent() noexcept {
    // An error is rethrown where the parent awaits; it goes before the stop.
    const bool error = std::any_of(branches, branches + count, [](const promise_base* b) {
        return b != nullptr && b->result == outcome::error;
    });
    if (!error) parent->result = outcome::stopped;
}

}  // namespace taskscope::detail
