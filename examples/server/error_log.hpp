// examples/server/error_log.hpp - an error handler for scopes: a line on stderr for each error.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/error_context.hpp>
#include <taskscope/exception_group.hpp>
#include <taskscope/scope_policy.hpp>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>

namespace web {

/// Counts the errors it is told about, and prints the first hundred.
class error_log {
public:
    explicit error_log(std::string who) : who_(std::move(who)) {}

    /// A policy for scopes that do not outlive *this.
    taskscope::scope_policy policy() {
        return [this](const taskscope::error_context& e) { tell(e); };
    }

    std::uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

private:
    void tell(const taskscope::error_context& e) {
        constexpr std::uint64_t most = 100;
        const std::uint64_t n = count_.fetch_add(1, std::memory_order_relaxed) + 1;
        if (n > most) return;
        std::ostringstream line;
        line << who_ << ": " << e.task_name << " in " << e.scope_path << ": "
             << taskscope::describe(e.error) << (n == most ? " (no more is printed)\n" : "\n");
        std::cerr << line.str();  // one write: several workers may be here
    }

    std::string who_;
    std::atomic<std::uint64_t> count_{0};
};

}  // namespace web
