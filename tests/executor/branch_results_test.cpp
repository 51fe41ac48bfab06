// tests/executor/branch_results_test.cpp - fork_join<N>() and the values it gives, in one block.
// SPDX-License-Identifier: MIT
#include <taskscope/branch_results.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/stopped.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
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

using values_of_branches = support::ledger;

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

TEST_F(values_of_branches, give_their_values_in_order) {
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

TEST_F(values_of_branches, give_what_has_a_destructor_or_can_only_be_moved) {
    manual_executor ex;
    auto body = []() -> task<> {
        auto words = ints(40) | std::views::transform(word);
        auto spelt = co_await fork_join<40>(words);
        EXPECT_EQ(spelt.size(), 40U);
        const auto moved = std::move(spelt);
        EXPECT_EQ(moved[39], std::string(39, 'x'));
        EXPECT_TRUE(spelt.empty());  // NOLINT(bugprone-use-after-move): it is specified
        EXPECT_EQ(spelt.begin(), spelt.end());
        std::vector<task<std::unique_ptr<int>>> boxes;
        for (const int i : ints(3)) boxes.push_back(box(i));
        const auto opened = co_await fork_join<3>(boxes);
        EXPECT_EQ(*opened[2], 2);
    };
    ex.run(body());
}

TEST_F(values_of_branches, without_values_are_just_run) {
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

TEST_F(values_of_branches, remain_when_the_branches_are_gone) {
    support::census people;
    const auto guest = [](support::census* c, support::citizen) -> task<support::citizen> {
        co_return support::citizen(*c);
    };
    const auto passer_by = [](support::citizen) -> task<> { co_return; };
    manual_executor ex;
    auto body = [&]() -> task<> {
        const support::citizen here(people);
        const auto pass_by = [&](int) { return passer_by(here); };
        auto passers_by = ints(3) | std::views::transform(pass_by);
        auto fork = fork_join<4>(passers_by);
        EXPECT_EQ(people.alive, 1 + 3);
        co_await fork;
        EXPECT_EQ(people.alive, 1) << "no matter how long there is something to await";
        const auto invite = [&](int) { return guest(&people, here); };
        auto guests = ints(3) | std::views::transform(invite);
        {
            const auto came = co_await fork_join<4>(guests);
            EXPECT_EQ(came.size(), 3U);
            EXPECT_EQ(people.alive, 1 + 3) << "no parameter, and no value in a frame";
        }
        EXPECT_EQ(people.alive, 1);
    };
    ex.run(body());
    EXPECT_EQ(people.alive, 0);
}

/// Throws when it is moved and `*until_throw` comes to zero.
class reluctant {
public:
    reluctant(support::census& c, int* until_throw) : counted_(c), until_throw_(until_throw) {}
    // NOLINTNEXTLINE(performance-noexcept-move-constructor): what it is for
    reluctant(reluctant&& other) : counted_(other.counted_), until_throw_(other.until_throw_) {
        if (--*until_throw_ == 0) throw std::runtime_error("will not move");
    }

private:
    support::citizen counted_;
    int* until_throw_;
};

/// Sets a number when it ends, which a local of a coroutine does when the result is there.
struct sets_at_the_end {
    int* number;
    int to;
    ~sets_at_the_end() { *number = to; }
};

TEST_F(values_of_branches, are_all_destroyed_when_one_can_not_be_moved) {
    // Each of three is moved out of its frame once.
    for (const int which : {1, 2, 3, 4}) {
        support::census people;
        int until_throw = 0;
        const auto make = [&](int i) -> task<reluctant> {
            const sets_at_the_end counts_from_here{&until_throw, i == 2 ? which : 0};
            co_return reluctant(people, &until_throw);
        };
        auto body = [&]() -> task<> {
            auto tasks = ints(3) | std::views::transform(make);
            co_await fork_join<3>(tasks);
        };
        manual_executor ex;
        if (which <= 3) {
            EXPECT_THROW(ex.run(body()), std::runtime_error);
            EXPECT_EQ(until_throw, 0);
        } else {
            EXPECT_NO_THROW(ex.run(body()));
            EXPECT_EQ(until_throw, 1);
        }
        EXPECT_EQ(people.alive, 0);
        EXPECT_GT(people.ever, 3);
    }
}

TEST_F(values_of_branches, may_outlive_the_task_that_forked_and_its_executor) {
    std::optional<taskscope::branch_results<std::string, 3>> results;
    {
        taskscope::executor ex{{.workers = 2}};
        auto body = []() -> task<taskscope::branch_results<std::string, 3>> {
            auto words = ints(3) | std::views::transform(word);
            co_return co_await fork_join<3>(words);
        };
        results.emplace(ex.run(body()));
    }
    EXPECT_EQ((*results)[2], "xx");
    taskscope::branch_results<std::string, 3> others;
    EXPECT_TRUE(others.empty());
    others = *std::move(results);
    EXPECT_EQ(others.size(), 3U);
}

TEST_F(values_of_branches, take_no_room_in_the_frame_that_forks) {
    using fork = decltype(fork_join<64>(std::declval<std::vector<task<std::string>>&>()));
    static_assert(sizeof(fork) == sizeof(void*));
    static_assert(sizeof(taskscope::branch_results<std::string, 64>) == sizeof(void*));
}

task<> fork_four(task<int> (*branch)(int)) {
    auto tasks = ints(4) | std::views::transform(branch);
    co_await fork_join<4>(tasks);
}

TEST_F(values_of_branches, throw_an_error_also_beside_branches_that_were_stopped) {
    manual_executor ex;
    EXPECT_THROW(ex.run(fork_four(one_fails)), std::runtime_error);
    EXPECT_THROW(ex.run(fork_four(one_fails_beside_stops)), std::runtime_error);
}

TEST_F(values_of_branches, refuse_a_range_that_is_too_long_before_any_of_it_runs) {
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
