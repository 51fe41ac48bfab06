// tests/cases/n_current_test.cpp - group N: the current scope, also where nobody passes it on.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <array>
#include <cstdlib>

namespace taskscope::test {
namespace {

using testing::Each;

class current_places : public scenario {};

std::vector<std::string>* spawned_paths = nullptr;

/// What a C library calls back: a plain function without an argument of ours.
int compare_and_spawn(const void* a, const void* b) {
    spawn([] { spawned_paths->push_back(current_scope().path()); });
    return *static_cast<const int*>(a) - *static_cast<const int*>(b);
}

// cases: T381
TEST_F(current_places, spawn_in_a_callback_of_a_c_library_lands_in_the_scope_of_who_called_that) {
    spawned_paths = &seen;
    std::array<int, 3> numbers{3, 1, 2};
    task_scope other{ex, {.name = "other"}};
    task_scope s{ex, {.name = "sorts"}};
    s.spawn([&]() -> task<> {
        co_await sleep_for(1ms);
        std::qsort(numbers.data(), numbers.size(), sizeof(int), compare_and_spawn);
    });
    s.blocking_join();
    EXPECT_THAT(seen, Each("/sorts"));
    EXPECT_GE(seen.size(), 2U);
    EXPECT_EQ(other.counts().spawned, 0U);
    other.blocking_join();
}

}  // namespace
}  // namespace taskscope::test
