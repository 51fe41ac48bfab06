// <taskscope/stop_reason.hpp> - why a scope was asked to stop.
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>

namespace taskscope {

enum class stop_kind : unsigned char {
    request,  ///< somebody called request_stop()
    error,    ///< a member failed, or the body of the block
    enough,   ///< the others were no longer needed
    outer,  ///< the task that opened the block was stopped: by its handle, a deadline, or its own wish
    shutdown,  ///< shutdown() of this scope or one above
    fatal,     ///< a fatal_error, somewhere in the tree
};

/// Such as "error".
const char* name_of(stop_kind kind) noexcept;

struct stop_reason {
    stop_kind kind = stop_kind::request;
    std::string text;  ///< more about it, such as what the error says; may be empty
    std::string
        scope_path;  ///< where it was requested; those below are stopped for the same reason
    std::chrono::steady_clock::time_point when;
};

}  // namespace taskscope
