// <taskscope/exception_group.hpp> - several errors, thrown together.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <vector>

namespace taskscope {

/// The errors of a group's children, in the order in which they arrived; the first one is what stopped the
/// group. An error may be an exception_group itself.
class exception_group : public std::exception {
public:
    /// `dropped`: how many more there were than are kept. Allocates for the text of what().
    exception_group(std::string message, std::vector<std::exception_ptr> errors,
                    std::size_t dropped = 0);

    /// `<message> (3 errors): first; second; third`
    const char* what() const noexcept override { return what_.c_str(); }

    const std::vector<std::exception_ptr>& errors() const noexcept { return errors_; }
    std::size_t dropped() const noexcept { return dropped_; }

    /// All errors that are no groups, depth first.
    std::vector<std::exception_ptr> flatten() const;

private:
    std::vector<std::exception_ptr> errors_;
    std::size_t dropped_;
    std::string what_;
};

/// The text of an error: what() of a std::exception, else "unknown exception".
std::string describe(const std::exception_ptr& error);

}  // namespace taskscope
