// tests/executor/fork_join_frames_test.cpp - what becomes of the frames of branches when the join is over.
// SPDX-License-Identifier: MIT
#include <taskscope/executor.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <array>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <numeric>
#include <ranges>
#include <string>
#include <support/ledger.hpp>
#include <tuple>
#include <type_traits>
#include <vector>

namespace {

using taskscope::executor;
using taskscope::fork_join;
using taskscope::frame_statistics;
using taskscope::manual_executor;
using taskscope::task;
using taskscope::detail::recyclable_promise;
using taskscope::detail::task_access;

using ForkJoinFrames = support::ledger;

task<int> number(int n) { co_return n; }
/// With a frame of another size, by so many numbers that live while it waits.
template <std::size_t size>
task<int> number_among(int n) {
    std::array<int, size> many{};
    many.at(static_cast<std::size_t>(n)) = n;
    co_await taskscope::yield();
    co_return std::accumulate(many.begin(), many.end(), 0);
}
task<int> wide_number(int n) { return number_among<20>(n); }
/// There is no list of blocks for its size.
task<int> huge_number(int n) { return number_among<1000>(n); }
/// With a parameter that has a destructor.
task<int> read(std::unique_ptr<int> n) { co_return *n; }

/// What `join` forks a second time fits into the blocks that the first one has left.
template <class Join>
void expect_no_growth(Join join) {
    executor ex{{.workers = 1}};
    const auto twice = [&]() -> task<> {
        co_await join();
        const frame_statistics before = taskscope::frames();
        co_await join();
        const frame_statistics after = taskscope::frames();
        EXPECT_EQ(after.live, before.live);
        EXPECT_EQ(after.kept, before.kept);
        EXPECT_EQ(after.reserved, before.reserved);
    };
    ex.run(twice());
}

TEST_F(ForkJoinFrames, AreFreedWhenBranchesOfAllKindsAreSideBySide) {
    const auto join = []() -> task<> {
        auto [a, b, c, d] = co_await fork_join(number(1), number(2), wide_number(3), number(4));
        auto [e, f, g, h] = co_await fork_join(wide_number(5), read(std::make_unique<int>(6)),
                                               wide_number(7), huge_number(8));
        auto [i, j] = co_await fork_join(read(std::make_unique<int>(9)), number(10));
        auto [k, l] = co_await fork_join(huge_number(11), number(12));
        EXPECT_EQ(a + b + c + d, 10);
        EXPECT_EQ(e + f + g + h, 26);
        EXPECT_EQ(i + j, 19);
        EXPECT_EQ(k + l, 23);
    };
    expect_no_growth(join);
}

TEST_F(ForkJoinFrames, AreFreedWhenTheyAreMoreThanAWorkerKeeps) {
    const auto join = []() -> task<> {
        auto numbers = std::views::iota(0, 1000) | std::views::transform(number);
        auto results = co_await fork_join<1000>(numbers);
        EXPECT_EQ(std::accumulate(results.begin(), results.end(), 0), 999 * 1000 / 2);
    };
    expect_no_growth(join);
}

TEST_F(ForkJoinFrames, LoseParametersAndResultsOnce) {
    support::census people;
    const auto guest = [](support::census* c) -> task<support::citizen> {
        co_return support::citizen(*c);
    };
    const auto host = [](support::citizen, int n) -> task<int> { co_return n; };
    manual_executor ex;
    const auto join = [&]() -> task<> {
        const support::citizen here(people);
        auto [one, two] = co_await fork_join(host(here, 1), host(here, 2));
        EXPECT_EQ(one + two, 3);
        EXPECT_EQ(people.alive, 1) << "nobody but the one here";
        auto [a, b] = co_await fork_join(guest(&people), guest(&people));
        EXPECT_EQ(people.alive, 3) << "and two guests";
    };
    ex.run(join());
    EXPECT_EQ(people.alive, 0);
    EXPECT_GT(people.ever, 3);
}

template <class T, class... Args>
using promise_of = std::coroutine_traits<task<T>, Args...>::promise_type;
template <class T, class... Args>
constexpr bool is_recyclable = std::derived_from<promise_of<T, Args...>, recyclable_promise<T>>;

/// Trivially copyable, but this is not how it is moved.
struct template_movable {
    template_movable() = default;
    template_movable(const template_movable&) = default;
    template <class U>
        requires std::same_as<U, template_movable>
    template_movable(U&&) {}
};

TEST_F(ForkJoinFrames, AreRecyclableWhereNothingHasADestructor) {
    static_assert(is_recyclable<int, int>);
    static_assert(is_recyclable<void>);
    static_assert(is_recyclable<std::string&, const std::string&, std::unique_ptr<int>&&, int*>);
    static_assert(!is_recyclable<std::string>);
    static_assert(!is_recyclable<int, std::string>);
    static_assert(!is_recyclable<int, int, std::unique_ptr<int>>);
    static_assert(std::is_trivially_copyable_v<template_movable>);
    static_assert(!is_recyclable<int, template_movable>);

    // Kept in a vector, so that no compiler does without them.
    std::vector<task<int>> tasks;
    tasks.push_back(number(1));
    tasks.push_back(wide_number(2));
    tasks.push_back(read(nullptr));
    tasks.push_back(huge_number(3));
    const auto recyclable_as = [&](std::size_t i) {
        return task_access::frame(tasks[i])->recyclable_as;
    };
    EXPECT_NE(recyclable_as(0), 0);
    EXPECT_GT(recyclable_as(1), recyclable_as(0));
    EXPECT_EQ(recyclable_as(2), 0) << "a parameter has a destructor";
    EXPECT_EQ(recyclable_as(3), 0) << "there is no list for its size";
}

task<const int&> own_parameter(int n) { co_return n; }

TEST_F(ForkJoinFrames, LiveToTheEndOfTheFullExpression) {
    const auto sum = [](std::tuple<const int&, const int&> both) {
        std::vector<task<const int&>> others;  // would get their blocks
        for (int i = 0; i < 3; ++i) others.push_back(own_parameter(1000));
        return std::get<0>(both) + std::get<1>(both);
    };
    const auto join = [&]() -> task<int> {
        co_return sum(co_await fork_join(own_parameter(20), own_parameter(3)));
    };
    manual_executor ex;
    EXPECT_EQ(ex.run(join()), 23);
}

}  // namespace
