// <taskscope/net/signals.hpp> - signals of the operating system, awaited by tasks.
// SPDX-License-Identifier: MIT
//
// Signals are process-wide: whoever names one here changes what it does to the whole program.
#pragma once

#include <taskscope/executor.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/task.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>

namespace taskscope::net {

/// Catches signals as long as it lives, and keeps those that come while nobody waits.
///
///     net::signal_set quit(ex, SIGINT, SIGTERM);       // from here on they no longer end the program
///     ...
///     const int number = co_await quit.wait();
///
/// If several sets name a signal each gets it. With the last of them the signal's default action is back.
///
/// Do not install handlers of your own, with sigaction() or otherwise, for signals that a set names.
/// Throws: std::system_error for numbers that are no signals, or cannot be caught; what context() throws.
/// Thread safety: none. It must be destroyed before its executor, and not while a task waits.
class signal_set {
public:
    signal_set(executor& home, std::span<const int> signals);

    template <std::same_as<int>... Signals>
        requires(sizeof...(Signals) != 0)
    explicit signal_set(executor& home, Signals... signals)
        : signal_set(home, std::array{signals...}) {}

    ~signal_set();
    signal_set(const signal_set&) = delete;
    signal_set& operator=(const signal_set&) = delete;

    /// Gives the number of the next signal.
    /// Stop: completes as stopped; a signal that has come in between waits for the next wait().
    task<int> wait();

private:
    template <std::size_t N>
    signal_set(executor& home, const std::array<int, N>& signals)
        : signal_set(home, std::span<const int>(signals)) {}

    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

/// `co_await wait_for_signal(SIGINT, SIGTERM)` gives the number of the first that comes.
///
/// The signals are caught from when the task runs until it ends: a second SIGTERM ends the program, which is what
/// an impatient operator wants. To catch them all the time have a signal_set.
/// Stop: completes as stopped. Errors: as the constructor of signal_set.
template <std::same_as<int>... Signals>
    requires(sizeof...(Signals) != 0)
task<int> wait_for_signal(Signals... signals) {
    const auto& mine = co_await taskscope::detail::get_context();
    signal_set set(*mine.home, signals...);
    co_return co_await set.wait();
}

}  // namespace taskscope::net
