// tests/executor/fork_join_test.cpp - all branches run, all are waited for, and the right result comes out.
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/sequence.hpp>
#include <support/stack.hpp>
#include <support/until.hpp>
#include <tuple>
#include <variant>
#include <vector>

namespace {

using namespace std::chrono_literals;
using support::launched;
using support::sequence;
using support::stack_range;
using support::tally;
using taskscope::async_event;
using taskscope::executor;
using taskscope::fork_join;
using taskscope::just_stopped;
using taskscope::manual_executor;
using taskscope::stopped_error;
using taskscope::task;

using ForkJoin = support::ledger;

/// The same on 1, 2 and 8 workers.
class ForkJoinOnWorkers : public support::ledger, public testing::WithParamInterface<unsigned> {};
INSTANTIATE_TEST_SUITE_P(, ForkJoinOnWorkers, testing::Values(1, 2, 8),
                         testing::PrintToStringParamName());

struct boom : std::runtime_error {
    using std::runtime_error::runtime_error;
};

task<int> number(int n) { co_return n; }
task<> nothing() { co_return; }
task<int> throws(std::string what) {
    throw boom(what);
    co_return 0;
}
task<int> stops() {
    co_await just_stopped();
    co_return 0;
}

std::string error_of(executor& ex, task<> t) {
    try {
        ex.run(std::move(t));
    } catch (const boom& e) {
        return e.what();
    }
    return "no error";
}

// A fixed number of branches

TEST_F(ForkJoin, GivesTheValuesInTheOrderOfItsArguments) {
    manual_executor ex;
    auto text = []() -> task<std::string> { co_return "two"; };
    auto owned = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(3); };
    auto body = [&]() -> task<> {
        auto [one, two, three] = co_await fork_join(number(1), text(), owned());
        EXPECT_EQ(one, 1);
        EXPECT_EQ(two, "two");
        EXPECT_EQ(*three, 3);
    };
    ex.run(body());
}

TEST_F(ForkJoin, HasAMonostateInThePlaceOfNothing) {
    manual_executor ex;
    auto body = [&]() -> task<> {
        auto [one, none] = co_await fork_join(number(1), nothing());
        static_assert(std::same_as<decltype(none), std::monostate>);
        EXPECT_EQ(one, 1);
        static_assert(std::is_void_v<decltype(fork_join(nothing(), nothing()).await_resume())>);
        co_await fork_join(nothing(), nothing());
    };
    ex.run(body());
}

TEST_F(ForkJoin, TakesASingleBranch) {
    manual_executor ex;
    auto body = [&]() -> task<int> {
        auto [n] = co_await fork_join(number(9));
        co_return n;
    };
    EXPECT_EQ(ex.run(body()), 9);
}

TEST_F(ForkJoin, RunsTheFirstBranchAtOnceAndTheOthersInOrderWhileNobodySteals) {
    manual_executor ex;
    sequence seen;
    auto speaks = [&](std::string name) -> task<> {
        seen(name);
        co_return;
    };
    auto body = [&]() -> task<> {
        co_await fork_join(speaks("a"), speaks("b"), speaks("c"), speaks("d"));
        seen("joined");
    };
    ex.run(body());
    EXPECT_EQ(seen, (sequence{"a", "b", "c", "d", "joined"}));
}

TEST_F(ForkJoin, RunsTheOthersWhileOneBranchWaits) {
    manual_executor ex;
    async_event event;
    auto waits = [&]() -> task<> { co_await event.wait(); };
    auto sets = [&]() -> task<> {
        event.set();
        co_return;
    };
    auto body = [&]() -> task<> { co_await fork_join(waits(), waits(), sets(), waits()); };
    ex.run(body());
    EXPECT_TRUE(ex.idle());
}

TEST_F(ForkJoin, ThatIsNeverAwaitedDestroysItsTasks) {
    const auto branches = fork_join(number(1), number(2));
    static_cast<void>(branches);
}

TEST_F(ForkJoin, ThrowsTheErrorWithTheLowestIndex) {
    manual_executor ex;
    auto body = [&]() -> task<> {
        co_await fork_join(number(0), throws("one"), throws("two"), number(3));
    };
    EXPECT_EQ(error_of(ex, body()), "one");
}

TEST_F(ForkJoin, ThrowsTheErrorWithTheLowestIndexAlsoWhenAnotherCameFirst) {
    manual_executor ex;
    auto late = []() -> task<> {
        co_await taskscope::sleep_for(5s);
        throw boom("late");
    };
    auto body = [&]() -> task<> { co_await fork_join(late(), throws("early")); };
    EXPECT_EQ(error_of(ex, body()), "late");
}

TEST_F(ForkJoin, WaitsForTheOthersBeforeItThrows) {
    manual_executor ex;
    sequence seen;
    auto slow = [&]() -> task<> {
        co_await taskscope::sleep_for(1s);
        seen("slow one ended");
    };
    auto body = [&]() -> task<> {
        try {
            co_await fork_join(throws("fast"), slow());
        } catch (const boom&) {
            seen("caught");
        }
    };
    ex.run(body());
    EXPECT_EQ(seen, (sequence{"slow one ended", "caught"}));
}

TEST_F(ForkJoin, CompletesAsStoppedWhenABranchDidAndAllHaveEnded) {
    manual_executor ex;
    sequence seen;
    auto slow = [&]() -> task<> {
        co_await taskscope::sleep_for(1s);
        seen("slow one ended");
    };
    auto body = [&]() -> task<> {
        const support::witness local(seen, "parent");
        co_await fork_join(slow(), stops(), number(1));
        seen("went on");
    };
    EXPECT_THROW(ex.run(body()), stopped_error);
    EXPECT_EQ(seen, (sequence{"slow one ended", "~parent"}));
}

TEST_F(ForkJoin, PrefersAnErrorToAStop) {
    manual_executor ex;
    auto body = [&]() -> task<> { co_await fork_join(stops(), throws("error"), stops()); };
    EXPECT_EQ(error_of(ex, body()), "error");
}

TEST_F(ForkJoin, EndsWhenARequestStopsEveryBranch) {
    manual_executor ex;
    sequence seen;
    auto sleeps = [&](std::string name) -> task<> {
        const support::witness local(seen, name);
        co_await taskscope::sleep_for(1h);
    };
    auto body = [&]() -> task<> { co_await fork_join(sleeps("a"), sleeps("b")); };
    launched<void> t(ex, body());
    ex.run_ready();
    EXPECT_EQ(seen, sequence{});
    t.request_stop();
    ex.run_ready();
    EXPECT_TRUE(t.stopped());
    EXPECT_TRUE(seen == (sequence{"~a", "~b"}) || seen == (sequence{"~b", "~a"})) << seen;
}

// Ranges

auto ints(int n) { return std::views::iota(0, n); }

TEST_P(ForkJoinOnWorkers, ARangeGivesItsValuesInOrder) {
    executor ex{{.workers = GetParam()}};
    for (const int n : {0, 1, 2, 8, 9, 1000}) {
        const std::vector<int> values = ex.run(fork_join(ints(n) | std::views::transform(number)));
        ASSERT_EQ(values.size(), static_cast<std::size_t>(n));
        EXPECT_TRUE(std::ranges::equal(values, ints(n)));
    }
}

TEST_P(ForkJoinOnWorkers, ARangeOfTasksWithoutValuesRunsEachOnce) {
    executor ex{{.workers = GetParam()}};
    constexpr int n = 5'000;
    tally runs(n);
    auto count = [&](int i) -> task<> {
        runs.count(static_cast<std::size_t>(i));
        co_return;
    };
    ex.run(fork_join(ints(n) | std::views::transform(count)));
    EXPECT_TRUE(runs.exactly_once());
}

TEST_P(ForkJoinOnWorkers, AVectorOfTasksIsConsumed) {
    executor ex{{.workers = GetParam()}};
    std::vector<task<int>> tasks;
    for (int i = 0; i < 100; ++i) tasks.push_back(number(i));
    EXPECT_TRUE(std::ranges::equal(ex.run(fork_join(std::move(tasks))), ints(100)));
}

TEST_F(ForkJoin, ReadsARangeThatCanBeReadOnceToItsEndFirst) {
    manual_executor ex;
    std::istringstream in("3 1 4 1 5 9 2 6 5");
    auto body = [&]() -> task<> {
        std::vector<int> values =
            co_await fork_join(std::views::istream<int>(in) | std::views::transform(number));
        EXPECT_EQ(values, (std::vector{3, 1, 4, 1, 5, 9, 2, 6, 5}));
    };
    ex.run(body());
}

TEST_F(ForkJoin, MakesTheTasksOfARangeOnlyWhenItsTurnComes) {
    manual_executor ex;
    int made = 0;
    int ended = 0;
    int most = 0;
    auto leaf = [&](int n) -> task<int> {
        ++ended;
        co_return n;
    };
    auto make = [&](int n) -> task<int> {
        most = std::max(most, ++made - ended);
        return leaf(n);
    };
    ex.run(fork_join(ints(1000) | std::views::transform(make)));
    EXPECT_EQ(made, 1000);
    EXPECT_LE(most, 8);
}

TEST_F(ForkJoin, ThrowsWhatMakingATaskThrowsAfterTheOthersHaveEnded) {
    manual_executor ex;
    int ended = 0;
    auto leaf = [&](int n) -> task<int> {
        co_await taskscope::sleep_for(1s);
        ++ended;
        co_return n;
    };
    auto make = [&](int n) -> task<int> {
        if (n == 21) throw boom("cannot make number 21");
        return leaf(n);
    };
    auto body = [&]() -> task<> { co_await fork_join(ints(64) | std::views::transform(make)); };
    EXPECT_EQ(error_of(ex, body()), "cannot make number 21");
    EXPECT_EQ(ended, 64 - 8);  // all but those of the same chunk, none of which has begun
}

TEST_F(ForkJoin, OfARangeThrowsTheErrorWithTheLowestIndex) {
    manual_executor ex;
    int ended = 0;
    auto leaf = [&](int n) -> task<int> {
        co_await taskscope::sleep_for(1ms * (1000 - n));  // higher indices end earlier
        ++ended;
        if (n >= 100 && n % 7 == 3) throw boom(std::to_string(n));
        co_return n;
    };
    auto body = [&]() -> task<> { co_await fork_join(ints(1000) | std::views::transform(leaf)); };
    EXPECT_EQ(error_of(ex, body()), "101");
    EXPECT_EQ(ended, 1000);
}

// Trees

task<std::uint64_t> fib(unsigned n) {
    if (n < 2) co_return n;
    auto [a, b] = co_await fork_join(fib(n - 1), fib(n - 2));
    co_return a + b;
}

TEST_P(ForkJoinOnWorkers, ATreeComputesFibonacciNumbers) {
    executor ex{{.workers = GetParam()}};
    EXPECT_EQ(ex.run(fib(18)), 2584U);
}

/// A tree with `width` branches below each of its nodes; each leaf is counted. Every third node gives way
/// between the branches of its neighbours, so that its branch goes on elsewhere.
task<long> tree(int depth, int width, std::size_t first, tally& leaves) {
    if (first % 3 == 0) co_await taskscope::yield();
    if (depth == 0) {
        leaves.count(first);
        co_return 1;
    }
    auto below = [&, depth, width, first](int i) {
        const auto branch = static_cast<std::size_t>(i);
        const auto n = static_cast<std::size_t>(width);
        return tree(depth - 1, width, first * n + branch, leaves);
    };
    auto view = std::views::iota(0, width) | std::views::transform(below);
    std::vector<long> sums = co_await fork_join(view);
    if (first % 3 == 1) co_await taskscope::yield();
    co_return std::accumulate(sums.begin(), sums.end(), 0L);
}

// cases: T432
TEST_P(ForkJoinOnWorkers, ATreeWhoseBranchesSuspendRunsEachLeafOnce) {
    executor ex{{.workers = GetParam()}};
    for (int round = 0; round < 5; ++round) {
        tally leaves(11 * 11 * 11);
        EXPECT_EQ(ex.run(tree(3, 11, 0, leaves)), 11 * 11 * 11);
        EXPECT_TRUE(leaves.exactly_once());
    }
}

task<int> one_sided(int depth, stack_range& stack) {
    stack.look();
    if (depth == 0) co_return 0;
    auto [deep, flat] = co_await fork_join(one_sided(depth - 1, stack), number(1));
    stack.look();
    co_return deep + flat;
}

TEST_F(ForkJoin, NestsAHundredThousandTimesOnAFlatStack) {
    executor ex{{.workers = 1}};
    stack_range stack;
    EXPECT_EQ(ex.run(one_sided(100'000, stack)), 100'000);  // more jobs than a deque holds
    EXPECT_LT(stack.bytes(), stack_range::flat);
}

/// Stops, throws or goes on, by number; sometimes after giving way.
task<int> unsteady(std::size_t n, tally& runs) {
    runs.count(n);
    if (n % 2 == 0) co_await taskscope::yield();
    if (n % 5 == 1) co_await just_stopped();
    if (n % 7 == 3) throw boom(std::to_string(n));
    co_return 1;
}

task<int> unsteady_tree(int depth, std::size_t first, tally& runs) {
    if (depth == 0) {
        const int n = co_await unsteady(first, runs);
        co_return n;
    }
    int sum = 0;
    try {
        auto branches = fork_join(unsteady_tree(depth - 1, 3 * first, runs),
                                  unsteady_tree(depth - 1, 3 * first + 1, runs),
                                  unsteady_tree(depth - 1, 3 * first + 2, runs));
        auto [a, b, c] = co_await branches;
        sum = a + b + c;
    } catch (const boom&) {
        sum = -1;
    }
    co_return sum;
}

TEST_P(ForkJoinOnWorkers, BranchesThatStopOrThrowWhileOthersAreStolenAreAllWaitedFor) {
    executor ex{{.workers = GetParam()}};
    constexpr std::size_t leaves = 3 * 3 * 3 * 3 * 3 * 3;
    for (int round = 0; round < 20; ++round) {
        tally runs(leaves);
        ex.run(taskscope::stopped_as_optional(unsteady_tree(6, 0, runs)));
        EXPECT_TRUE(runs.exactly_once());
    }
}

TEST_F(ForkJoin, ABranchMayBeStoppedOnAnotherWorkerJustWhenItsNeighbourEnds) {
    executor ex{{.workers = 2}};
    for (int round = 0; round < 500; ++round) {
        support::rendezvous sides(2);
        auto ends = [&]() -> task<> {
            sides.meet();  // only once the other one has been stolen
            co_return;
        };
        auto stops_there = [&]() -> task<> {
            sides.meet();
            co_await just_stopped();
        };
        auto body = [&]() -> task<> { co_await fork_join(ends(), stops_there(), nothing()); };
        EXPECT_THROW(ex.run(body()), stopped_error);
    }
}

TEST_P(ForkJoinOnWorkers, ARequestFromOutsideStopsATreeInTheMiddle) {
    executor ex{{.workers = GetParam()}};
    struct endless {
        static task<> below(int depth, std::atomic<int>& running) {
            if (depth == 0) {
                running.fetch_add(1);
                co_await taskscope::sleep_for(1h);
            }
            if (depth > 0) co_await fork_join(below(depth - 1, running), below(depth - 1, running));
        }
    };
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> running{0};
        launched<void> t(ex, endless::below(6, running));
        ASSERT_TRUE(support::until([&] { return running.load() >= 3 * round; }));
        t.request_stop();
        ASSERT_TRUE(support::until([&] { return t.ended(); }));
        EXPECT_TRUE(t.stopped());
        EXPECT_EQ(ex.statistics().timers, 0U);
    }
}

// Fairness must not begin the oldest branches out of turn: each would be one more half-done tree in memory.
TEST(ForkJoinMemory, StaysWithTheDepthOfALongRecursion) {
    struct tree {
        static task<> grow(int depth, std::atomic<std::int64_t>& most) {
            if (depth > 0) {
                co_await fork_join(grow(depth - 1, most), grow(depth - 1, most));
            } else if (most.load(std::memory_order_relaxed) < taskscope::frames().live) {
                most.store(taskscope::frames().live, std::memory_order_relaxed);
            }
        }
    };
    for (const unsigned workers : {1U, 2U}) {
        executor ex{{.workers = workers}};
        std::atomic<std::int64_t> most{0};
        const std::int64_t before = taskscope::frames().live;
        ex.run(tree::grow(17, most));
        EXPECT_LT(most.load() - before, 500) << workers;
    }
}

}  // namespace
