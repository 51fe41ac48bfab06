// <taskscope/error_context.hpp> - what is told about an error, and what is kept of one.
// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace taskscope {

class task_scope;

/// What a handler learns about an error. More members may be added. Views are valid during the call.
struct error_context {
    std::exception_ptr error;
    task_scope& scope;            ///< whose child, or body, failed
    std::string_view scope_path;  ///< such as "/app-a/handlers"
    std::string_view task_name;   ///< empty if the child has none
    std::source_location
        spawned_at;  ///< where the child was spawned, or the block of the body opened
};

/// An error with where it came from, to be kept.
struct recorded_error {
    recorded_error(std::exception_ptr e, std::string path = {}, std::string name = {},
                   std::source_location at = {})
        : error(std::move(e)),
          scope_path(std::move(path)),
          task_name(std::move(name)),
          spawned_at(at) {}

    std::exception_ptr error;
    std::string scope_path;  ///< these three are empty if they are not known
    std::string task_name;
    std::source_location spawned_at;

    /// Copies. Throws std::bad_alloc.
    static recorded_error of(const error_context& e) {
        return {e.error, std::string(e.scope_path), std::string(e.task_name), e.spawned_at};
    }

    /// `<what> [fetch in /app/api, server.cpp:41]`, as far as it is known. Allocates.
    std::string text() const;
};

/// The text of an error: what() of a std::exception, else "unknown exception".
std::string describe(const std::exception_ptr& error);

}  // namespace taskscope
