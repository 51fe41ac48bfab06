// <taskscope/task_lints.hpp> - being told of tasks that keep a worker for long.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/executor.hpp>
#include <taskscope/observer.hpp>

#include <chrono>
#include <functional>
#include <source_location>

namespace taskscope {

/// What is suspicious about a child.
enum class lint_kind : unsigned char {
    held_worker,      ///< it ran longer than the limit without letting others go first
    never_suspended,  ///< the same from its start to its end
};

struct lint {
    lint_kind kind;
    const observed_child& child;
    executor::clock::duration ran;      ///< so long, in one piece
    std::source_location suspended_at;  ///< where it let go; line 0 if it ended
};

struct lint_options {
    executor::clock::duration limit =
        std::chrono::milliseconds(10);  // from nowhere: a request feels it
    std::function<executor::clock::time_point()> now = &executor::clock::now;
};

/// Calls `tell` for each time a child has kept a worker longer than the limit, when it lets go of it. A function that
/// should have been given to run_blocking(), a loop that wants a checkpoint() or a yield().
///
/// A child whose branches run on several workers is timed on each. `tell` is called inside of a hook: see observer.
observation observe_lints(executor& home, std::function<void(const lint&)> tell,
                          lint_options options = {});

}  // namespace taskscope
