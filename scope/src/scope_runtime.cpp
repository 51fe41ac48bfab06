// scope/src/scope_runtime.cpp - the root scope of an executor, and its end.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"

#include "observers.hpp"

#include <taskscope/detail/contract.hpp>
#include <taskscope/scope_tree.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace taskscope::detail {

scope_runtime::scope_runtime(executor& e)
    : home(e),
      trace_awaits(traces_awaits(e)),
      registry(e.workers()),
      all_observers(std::make_shared<observers>(*this)),
      root_(scope_access::make_root(e, *this, "")),
      system_(scope_access::make_root(e, *this, "system")) {}

scope_runtime::~scope_runtime() { all_observers->leave_runtime(); }

void scope_runtime::shut_down() noexcept {
    root_->request_stop();
    root_->close();
    scope_state& root = scope_access::state(*root_);
    root.want_join();
    // A scope object that is still there, with nobody running in it or below it, would be waited for in vain.
    std::uint64_t spawned_before = static_cast<std::uint64_t>(-1);
    std::optional<clock::duration> patience = std::chrono::seconds(1);
    if (is_manual(home)) patience.reset();
    while (!root.ended.blocking_wait(home, patience)) {
        const tree_snapshot tree = snapshot(*root_, 0);
        std::uint64_t live = 0;
        std::uint64_t spawned = 0;
        for (const scope_info& s : tree.scopes) {
            live += s.counts.live;
            spawned += s.counts.spawned;
        }
        // Twice the same: a child may have moved on while we looked; not if we run the children ourselves.
        const bool same = spawned == std::exchange(spawned_before, spawned) || is_manual(home);
        const bool quiet = live == 0 && same;
        if (quiet && tree.scopes.size() > 1) {
            contract_violation("executor \"" + std::string(home.name()) +
                               "\" was destroyed before scope " + tree.scopes[1].path +
                               " was joined. Join or destroy every scope before its executor.");
        }
        if (is_manual(home)) {
            contract_violation(
                "manual_executor destroyed while tasks wait for what can not happen:\n" +
                dump(*root_, format::text));
        }
    }
    scope_state& system = scope_access::state(*system_);
    system.want_join();
    system.ended.blocking_wait(home);
}

}  // namespace taskscope::detail
