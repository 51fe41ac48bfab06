// tests/sync/generator_test.cpp - a loop over what a coroutine yields, to the end or not.
// SPDX-License-Identifier: MIT
#include <taskscope/generator.hpp>

#include <gtest/gtest.h>

#include <iterator>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <support/ledger.hpp>
#include <support/sequence.hpp>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using support::sequence;
using support::witness;
using taskscope::generator;

using Generator = support::ledger;

static_assert(std::input_iterator<generator<int>::iterator>);
static_assert(std::ranges::input_range<generator<std::string>>);
static_assert(!std::is_copy_constructible_v<generator<int>>);

generator<int> first(int n) {
    for (int i = 0; i < n; ++i) co_yield i;
}

generator<int> told(sequence& seen) {
    const witness local(seen, "local");
    seen("begin");
    co_yield 1;
    seen("middle");
    co_yield 2;
    seen("end");
}

TEST_F(Generator, GivesWhatIsYieldedInOrder) {
    std::vector<int> all;
    for (const int i : first(4)) all.push_back(i);
    EXPECT_EQ(all, (std::vector<int>{0, 1, 2, 3}));
}

TEST_F(Generator, MayBeEmpty) {
    for (const int i : first(0)) ADD_FAILURE() << i;
}

TEST_F(Generator, ComputesAnElementWhenTheLoopAsksForIt) {
    sequence seen;
    generator<int> g = told(seen);
    EXPECT_EQ(seen, sequence{});
    generator<int>::iterator i = g.begin();
    EXPECT_EQ(seen, sequence{"begin"});
    EXPECT_EQ(*i, 1);
    ++i;
    EXPECT_EQ(*i, 2);
    ++i;
    EXPECT_EQ(i, g.end());
    EXPECT_EQ(seen, (sequence{"begin", "middle", "end", "~local"}));
}

TEST_F(Generator, LeftEarlyIsDestroyedWithItsLocals) {
    sequence seen;
    for (const int i : told(seen)) {
        EXPECT_EQ(i, 1);
        break;
    }
    EXPECT_EQ(seen, (sequence{"begin", "~local"}));
}

TEST_F(Generator, NeverBegunDestroysItsArgumentsOnly) {
    sequence seen;
    {
        const generator<int> g = told(seen);
    }
    EXPECT_EQ(seen, sequence{});
}

TEST_F(Generator, ThrowsOutOfTheLoop) {
    auto throws = [](int after) -> generator<int> {
        for (int i = 0; i < after; ++i) co_yield i;
        throw std::runtime_error("no more");
    };
    std::vector<int> all;
    auto loop = [&] {
        for (const int i : throws(2)) all.push_back(i);
    };
    EXPECT_THROW(loop(), std::runtime_error);
    EXPECT_EQ(all, (std::vector<int>{0, 1}));

    generator<int> at_once = throws(0);
    EXPECT_THROW(at_once.begin(), std::runtime_error);
}

TEST_F(Generator, GivesTheVeryObjectThatWasYielded) {
    auto yields = []() -> generator<std::unique_ptr<int>> {
        auto mine = std::make_unique<int>(1);
        co_yield mine;
        EXPECT_EQ(mine, nullptr) << "the loop has taken it";
        co_yield std::make_unique<int>(2);
    };
    int sum = 0;
    for (std::unique_ptr<int>& element : yields()) {
        const std::unique_ptr<int> taken = std::move(element);
        sum += *taken;
    }
    EXPECT_EQ(sum, 3);
}

TEST_F(Generator, GivesACopyOfAConstant) {
    const std::string constant = "constant";
    auto yields = [](const std::string& s) -> generator<std::string> { co_yield s; };
    for (std::string& s : yields(constant)) s += " no more";
    EXPECT_EQ(constant, "constant");

    auto yields_constants = [](const std::string& s) -> generator<const std::string> {
        co_yield s;
    };
    for (const std::string& s : yields_constants(constant)) EXPECT_EQ(&s, &constant);
}

TEST_F(Generator, CanBeMoved) {
    sequence seen;
    generator<int> a = told(seen);
    a.begin();
    generator<int> b = std::move(a);
    b = first(1);
    EXPECT_EQ(seen, (sequence{"begin", "~local"}));
    for (const int i : b) EXPECT_EQ(i, 0);
}

TEST_F(Generator, FeedsAlgorithmsAndViews) {
    std::vector<int> squares;
    for (const int i : first(5) | std::views::transform([](int x) { return x * x; })) {
        squares.push_back(i);
    }
    EXPECT_EQ(squares, (std::vector<int>{0, 1, 4, 9, 16}));
}

}  // namespace
