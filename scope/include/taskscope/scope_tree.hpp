// <taskscope/scope_tree.hpp> - looking at a tree of scopes while it runs.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/admission.hpp>
#include <taskscope/task_scope.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

namespace taskscope {

struct child_info {
    std::string name;  ///< empty if it has none
    std::source_location spawned_at;
    std::source_location
        suspended_at;  ///< or was last; line 0: never, or the executor does not trace awaits
    std::vector<std::source_location>
        await_chain;  ///< suspended_at, and what waits for that; see executor_options::trace_awaits
    std::uint64_t awaits_unlisted = 0;  ///< how many more there are, further out
};

struct scope_info {
    std::string name;
    std::string path;
    std::size_t depth = 0;  ///< 0 for the scope that was asked for
    scope_counts counts;
    bool closed = false;
    std::shared_ptr<const taskscope::stop_reason> stop_reason;  ///< null if no stop was requested
    bool ended = false;
    bool has_errors = false;
    std::source_location opened_at;
    std::chrono::milliseconds age{0};
    std::optional<admission_info> admission;  ///< if it has limits
    std::vector<child_info> children;         ///< some of the live ones
    std::uint64_t children_unlisted = 0;      ///< how many more there are
};

/// A scope and all below it, parents before children, in order of creation.
struct tree_snapshot {
    std::vector<scope_info> scopes;
};

/// Effects: looks at one scope after the other while they run; each is right for some moment of its own. Nothing
///   is stopped, but a worker that spawns may wait as long as its list of children is looked through.
/// `listed`: at most so many children are listed per scope.
/// Thread safety: any thread. The caller keeps `top` alive.
/// Complexity: linear in the scopes below `top` and in all live children of the executor.
tree_snapshot snapshot(const task_scope& top, std::size_t listed = 8);

enum class format : unsigned char { text, json };

/// A snapshot as text for people, or as one JSON object.
std::string dump(const task_scope& top, format f = format::text);

/// The whole tree of an executor.
std::string dump_tree(executor& home, format f = format::text);

}  // namespace taskscope
