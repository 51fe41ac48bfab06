// executor/src/contract.cpp - the last words of a program that broke a contract.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/contract.hpp>

#include <cstdio>
#include <exception>

namespace taskscope::detail {

void contract_violation(std::string_view message) noexcept {
    std::fprintf(stderr, "taskscope: %.*s\n", static_cast<int>(message.size()), message.data());
    std::fflush(stderr);
    std::terminate();
}

}  // namespace taskscope::detail
