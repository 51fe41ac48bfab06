// executor/src/unwind.cpp - a stop on its way from a suspended leaf to whoever wants to know.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/join_block.hpp>

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
            case completion::inline_branch:
            case completion::inline_last_branch:
            case completion::branch:
            case completion::last_branch: {
                join_block& join = *p->join;
                // The flow ends here: what it has not come back for is run from the deque.
                const std::uint32_t done = is_queued_branch(p->reports_to) ? 1 : p->branch + 1U;
                p->owner = &join.branches()[p->branch];
                p->unwind_frame();
                // relaxed: ordered by join.complete.
                join.stopped.store(1, std::memory_order_relaxed);
                return join.report(done);
            }
            case completion::receiver:
            case completion::relay:
            case completion::traced: {
                receiver& r = *p->recv;
                p->unwind_frame();
                return r.done(r, nullptr);
            }
            case completion::none:
                return nullptr;
        }
    }
}

void promise_base::rethrow() { std::rethrow_exception(std::move(error)); }

}  // namespace taskscope::detail
