// tests/executor/branch_results_test.cpp - fork_join<N>() and the values it gives in place.
// SPDX-License-Identifier: MIT
#include <taskscope/branch_results.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/stopped.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <support/ledger.hpp>
#include <utility>
#include <vector>

namespace {

using taskscope::fork_join;
using taskscope::just_stopped;
using taskscope::manual_executor;
using taskscope::task;

using branches_in_place = support::ledger;

task<int> number(int n) { co_return n; }
task<std::string> word(int n) { co_return std::string(static_cast<std::size_t>(n), 'x'); }
task<std::unique_ptr<int>> box(int n) { co_return std::make_unique<int>(n); }

task<int> one_fails(int n) {
    if (n == 2) throw std::runtime_error("two");
    co_return n;
}

task<int> one_fails_beside_stops(int n) {
    if (n == 2) throw std::runtime_error("two");
    co_await just_stopped();
    co_return n;
}

auto ints(int n) { return std::views::iota(0, n); }

TEST_F(branches_in_place, give_their_values_in_order) {
    manual_executor ex;
    for (const int n : {0, 1, 2, 5}) {
        auto body = [n]() -> task<> {
            auto tasks = ints(n) | std::views::transform(number);
            const auto values = co_await fork_join<5>(tasks);
            EXPECT_EQ(values.empty(), n == 0);
            EXPECT_TRUE(std::ranges::equal(values, ints(n)));
        };
        ex.run(body());
    }
}

TEST_F(branches_in_place, give_what_has_a_destructor_or_can_only_be_moved) {
    manual_executor ex;
    auto body = []() -> task<> {
        auto words = ints(40) | std::views::transform(word);
        auto spelt = co_await fork_join<40>(words);
        EXPECT_EQ(spelt.size(), 40U);
        const auto moved = std::move(spelt);
        EXPECT_EQ(moved[39], std::string(39, 'x'));
        std::vector<task<std::unique_ptr<int>>> boxes;
        for (const int i : ints(3)) boxes.push_back(box(i));
        const auto opened = co_await fork_join<3>(boxes);
        EXPECT_EQ(*opened[2], 2);
    };
    ex.run(body());
}

TEST_F(branches_in_place, without_values_are_just_run) {
    manual_executor ex;
    int runs = 0;
    auto count = [&](int) -> task<> {
        ++runs;
        co_return;
    };
    auto body = [&]() -> task<> {
        auto tasks = ints(7) | std::views::transform(count);
        co_await fork_join<8>(tasks);
    };
    ex.run(body());
    EXPECT_EQ(runs, 7);
}

task<> fork_four(task<int> (*branch)(int)) {
    auto tasks = ints(4) | std::views::transform(branch);
    co_await fork_join<4>(tasks);
}

TEST_F(branches_in_place, throw_an_error_also_beside_branches_that_were_stopped) {
    manual_executor ex;
    EXPECT_THROW(ex.run(fork_four(one_fails)), std::runtime_error);
    EXPECT_THROW(ex.run(fork_four(one_fails_beside_stops)), std::runtime_error);
}

TEST_F(branches_in_place, refuse_a_range_that_is_too_long_before_any_of_it_runs) {
    manual_executor ex;
    int runs = 0;
    auto count = [&](int) -> task<> {
        ++runs;
        co_return;
    };
    auto body = [&]() -> task<> {
        auto tasks = ints(3) | std::views::transform(count);
        co_await fork_join<2>(tasks);
    };
    EXPECT_THROW(ex.run(body()), std::length_error);
    EXPECT_EQ(runs, 0);
}

}  // namespace
