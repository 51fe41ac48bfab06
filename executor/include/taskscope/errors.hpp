// <taskscope/errors.hpp> - the exceptions the library itself throws.
// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <stdexcept>

namespace taskscope {

/// Thrown where a task was stopped and the caller is no task that could be stopped with it:
/// executor::run(), and stopped_as_error().
class stopped_error : public std::exception {
public:
    const char* what() const noexcept override { return "taskscope: the task was stopped"; }
};

/// A call that can never work where it was made. what() says what to do instead.
class misuse_error : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

}  // namespace taskscope
