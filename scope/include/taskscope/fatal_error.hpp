// <taskscope/fatal_error.hpp> - errors after which the whole tree has to end.
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <exception>

namespace taskscope {

/// A base for errors that no part of the program can live with: `struct disk_gone : std::runtime_error, fatal_error`.
///
/// A child, or the body of a block, that fails with one asks the executor's root scope to stop, whatever the policies
/// around it say; those are told of it as of every error. The reason of that stop has its text, and in an
/// exception_group it comes first.
class fatal_error {
public:
    fatal_error(const fatal_error&) noexcept = default;
    fatal_error& operator=(const fatal_error&) noexcept = default;
    virtual ~fatal_error() = default;

protected:
    fatal_error() noexcept { exist_.store(true, std::memory_order_relaxed); }

private:
    friend bool is_fatal(const std::exception_ptr& error) noexcept;

    // Looking at an exception_ptr costs a throw; a program without fatal errors does not pay it. relaxed: the
    // exception reaches who asks by a way that is ordered.
    inline static std::atomic<bool> exist_{false};
};

/// Whether `error` holds a fatal_error.
bool is_fatal(const std::exception_ptr& error) noexcept;

}  // namespace taskscope
