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
            case completion::branch: {
                join_block& join = *p->join;
                const bool flow = p->reports_to == completion::inline_branch;
                const std::uint32_t next = p->branch + 1U;
                p->owner = &join.branches()[p->branch];
                p->unwind_frame();
                // relaxed: ordered by join.complete.
                join.stopped.store(true, std::memory_order_relaxed);
                if (!flow) return join.report(1);
                if (promise_base* const b = join.take_back(next, *this_worker())) return b;
                return join.report(next);
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
