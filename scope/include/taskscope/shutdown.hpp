// <taskscope/shutdown.hpp> - ending a tree of scopes within a time limit, and the report about it.
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <source_location>
#include <string>
#include <vector>

namespace taskscope {

/// In which order the scopes below one scope are ended. What task_scope::depends_on() declares holds in any case.
enum class shutdown_order : unsigned char {
    concurrent,    ///< all at the same time
    newest_first,  ///< one after the other, in reverse order of creation
};

/// How long a shutdown may take. Negative times count as zero. Trivially copyable.
struct shutdown_limits {
    std::chrono::steady_clock::duration drain = std::chrono::seconds(5);  ///< to end by themselves
    std::chrono::steady_clock::duration stop =
        std::chrono::seconds(2);  ///< to end after a stop request
    shutdown_order order = shutdown_order::concurrent;
};

/// A child that had not completed when the time was up.
struct straggler {
    std::string scope_path;
    std::string name;  ///< empty if it has none
    std::source_location spawned_at;
    std::source_location
        suspended_at;  ///< or was last; line 0: never, or the executor does not trace awaits
    std::vector<std::source_location>
        await_chain;  ///< suspended_at, and what waits for that; see executor_options::trace_awaits
    std::uint64_t awaits_unlisted = 0;  ///< how many more there are, further out
};

/// What became of the members of one scope.
struct scope_shutdown {
    std::string path;
    std::uint64_t drained = 0;  ///< children that ended by themselves after the shutdown began
    std::uint64_t stopped =
        0;  ///< children that ended after the stop request, however they completed
    std::uint64_t abandoned = 0;  ///< children that were still running at the end
    bool ended = true;            ///< false if a member, a child or a scope below, was still there
    std::chrono::milliseconds took{0};
};

/// Scopes in the order in which they came to their end: innermost first.
struct shutdown_report {
    std::vector<scope_shutdown> scopes;
    std::vector<straggler> stragglers;  ///< at most 1 000 are listed; `abandoned` counts all
    std::chrono::milliseconds took{0};
    bool out_of_memory = false;  ///< the shutdown had to be broken off

    /// Whether every scope has ended.
    bool complete() const noexcept;
    std::uint64_t drained() const noexcept;
    std::uint64_t stopped() const noexcept;
    std::uint64_t abandoned() const noexcept;

    /// For people: a line for each scope that had members, and one for each straggler.
    std::string text() const;
};

}  // namespace taskscope
