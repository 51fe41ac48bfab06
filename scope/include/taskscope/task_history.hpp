// <taskscope/task_history.hpp> - which tasks there are and which were there last, by number; and stopping one of them.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/executor.hpp>
#include <taskscope/observer.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

namespace taskscope {

/// A child, alive or not.
struct task_record {
    child_id id = 0;
    child_id spawner = 0;  ///< 0: none, or one that was not observed
    std::string name;      ///< empty if it has none
    std::source_location spawned_at;
    std::string scope_path;
    std::optional<completion_kind> ended;  ///< how; nothing: it has not
    std::string error;                     ///< its text, if it ended with one
    executor::clock::duration
        lasted{};  ///< from its spawn to its end, or until now; by the executor's clock
};

/// An observer that keeps the live children of an executor, and those that ended last.
///
///     task_history history(ex, 100);
///     for (const task_record& t : history.ended()) print(t);
///     history.request_stop(id);
///
/// Memory: that of the live children that were spawned since it was made, and of at most `most` that have ended. A spawn
///   and an end take a mutex, and allocate: not for a million children in a second.
/// Thread safety: const members from any thread.
class task_history {
public:
    explicit task_history(executor& home, std::size_t most = 256);
    ~task_history();
    task_history(const task_history&) = delete;
    task_history& operator=(const task_history&) = delete;

    /// In the order in which they were spawned.
    std::vector<task_record> live() const;
    /// In the order in which they ended.
    std::vector<task_record> ended() const;
    /// The child, the one that spawned it, and so on up to one that is no longer known, or had no spawner. Empty if the
    /// child itself is not known.
    std::vector<task_record> creation_chain(child_id id) const;
    /// Asks this child alone to stop. False if it is not alive, or was asked before by this function.
    bool request_stop(child_id id) const noexcept;

private:
    class keeper;

    std::shared_ptr<keeper> kept_;
    observation observing_;
};

}  // namespace taskscope
