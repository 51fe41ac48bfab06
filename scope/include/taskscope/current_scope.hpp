// <taskscope/current_scope.hpp> - the scope of the task that is running, and spawning into it.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/task_scope.hpp>

#include <source_location>
#include <utility>

namespace taskscope {

/// The scope that the running task belongs to: the one it was spawned into, or whose body it is; the root for a
/// task given to executor::run(). Also in functions called by run_blocking(), through a task_bridge or a portal.
/// Throws misuse_error on a thread that runs no task.
task_scope& current_scope();

/// Spawns into the current scope: whoever is called, directly or indirectly, cannot leave the scope it was
/// called in. Arguments, effects and errors: task_scope::spawn().
template <class T>
void spawn(task<T> t, std::source_location where = std::source_location::current()) {
    current_scope().spawn(std::move(t), where);
}
template <class F>
    requires detail::spawnable<F>
void spawn(F&& f, std::source_location where = std::source_location::current()) {
    current_scope().spawn(std::forward<F>(f), where);
}
template <class F, class A>
    requires detail::spawnable<F, A>
void spawn(F&& f, A&& a, std::source_location where = std::source_location::current()) {
    current_scope().spawn(std::forward<F>(f), std::forward<A>(a), where);
}
template <class F, class... Args>
    requires detail::spawnable<F, Args...>
void spawn(const spawn_options& options, F&& f, Args&&... args) {
    current_scope().spawn(options, std::forward<F>(f), std::forward<Args>(args)...);
}
template <class T>
void spawn(const spawn_options& options, task<T> t) {
    current_scope().spawn(options, std::move(t));
}

}  // namespace taskscope
