// scope/src/deferred.cpp - functions that are called when the members of a scope are gone, the last one first.
// SPDX-License-Identifier: MIT
//
// The last member to leave, or a join that finds none, does not set `ending` while `deferred` is set, but keeps its
// membership and gives it to the first function: a child like any other, whose end begins the next one.
#include "scope_runtime.hpp"

#include <taskscope/detail/current.hpp>
#include <taskscope/detail/deferred.hpp>

#include <utility>

namespace taskscope::detail {

bool scope_state::defer(deferred_child& d) noexcept {
    const std::lock_guard lock{mutex_};
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    do {
        if ((word & ending) != 0) return false;
        // relaxed: who finds the flag comes for the function with the mutex.
    } while (!word_.compare_exchange_weak(word, word | deferred, std::memory_order_relaxed));
    d.below = std::exchange(deferred_, &d);
    return true;
}

bool scope_state::begin_deferred() noexcept {
    for (;;) {
        deferred_child* next = nullptr;
        {
            const std::lock_guard lock{mutex_};
            next = deferred_;
            if (next == nullptr) return false;
            deferred_ = next->below;
            if (deferred_ == nullptr) word_.fetch_and(~deferred, std::memory_order_relaxed);
        }
        if (next->begin(*next)) return true;  // It may have ended the scope already.
    }
}

void launch_deferred(deferred_child& d, promise_base& p) noexcept {
    scope_state& s = *d.scope;
    enlist(d);
    adopt(d, p, s.cleanup_context);
    schedule(*s.context.home, p);
}

void fail_deferred(deferred_child& d, std::exception_ptr error) noexcept {
    d.scope->count_spawned(scope_state::in_word);
    d.scope->child_failed(d, std::move(error));
}

}  // namespace taskscope::detail
