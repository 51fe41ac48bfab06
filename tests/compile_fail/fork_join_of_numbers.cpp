// tests/compile_fail/fork_join_of_numbers.cpp - a range must be one of tasks.
// SPDX-License-Identifier: MIT
//
// expect: no matching function for call to
#include <taskscope/fork_join.hpp>

#include <vector>

taskscope::task<> body(std::vector<int> numbers) {
    co_await taskscope::fork_join(std::move(numbers));
}
