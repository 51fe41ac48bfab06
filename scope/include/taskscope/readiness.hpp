// <taskscope/readiness.hpp> - who below a scope is still starting: what a server's /ready says.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/task_scope.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace taskscope {

/// A scope with children that were started and have not signalled.
struct starting_scope {
    std::string path;
    std::uint64_t starting = 0;
};

struct readiness_report {
    /// In the order of the tree, parents first.
    std::vector<starting_scope> not_ready;

    bool ready() const noexcept { return not_ready.empty(); }
    /// "ready", or "not ready: /app/pool, /app/listener (2)".
    std::string text() const;
};

/// Whether all children of start(), in `top` and below, have signalled.
///
/// What is not started yet is not seen. So start what starts others, and let it signal when these have: it is not
/// ready as long as one of them is not.
/// Thread safety: any thread. The caller keeps `top` alive.
/// Complexity: linear in the scopes below `top`.
readiness_report readiness(const task_scope& top);

}  // namespace taskscope
