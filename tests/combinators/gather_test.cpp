// tests/combinators/gather_test.cpp - all results, or all errors; or each as it ended.
// SPDX-License-Identifier: MIT
#include <taskscope/gather.hpp>
#include <taskscope/timeout.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <ranges>
#include <scope/support.hpp>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

class gathering : public ledger_test {
protected:
    gathering() { ex.root().set_policy(ignore_errors); }

    task<int> after(std::chrono::milliseconds d, int value) {
        co_await sleep_for(d);
        seen.push_back(std::to_string(value));
        co_return value;
    }
    task<int> fail_after(std::chrono::milliseconds d, std::string what) {
        co_await sleep_for(d);
        throw boom(what);
    }
    /// Ignores a stop for so long, and fails then.
    task<int> fail_in_spite_of_a_stop(std::chrono::milliseconds d) {
        async_event never;
        [[maybe_unused]] const bool b = co_await never.wait_until_shielded(ex.now() + d);
        throw boom("late");
    }
    task<int> stop_itself() {
        co_await just_stopped();
        co_return 0;
    }

    manual_executor ex;
    std::vector<std::string> seen;
};

// cases: T123, T307, T321
TEST_F(gathering, gives_values_in_the_order_of_the_arguments) {
    run(ex, [&]() -> task<> {
        auto [a, b] = co_await gather(after(30ms, 1), after(10ms, 2));
        EXPECT_EQ(a, 1);
        EXPECT_EQ(b, 2);
        std::vector<task<int>> tasks;
        for (int i = 3; i < 6; ++i) tasks.push_back(after(std::chrono::milliseconds(50 - i), i));
        const std::vector<int> values = co_await gather(std::move(tasks));
        EXPECT_THAT(values, ElementsAre(3, 4, 5));
    });
    EXPECT_THAT(seen, ElementsAre("2", "1", "5", "4", "3"));
    EXPECT_TRUE(ex.idle());
}

TEST_F(gathering, runs_the_tasks_at_the_same_time) {
    const auto began = ex.now();
    run(ex, [&]() -> task<> {
        const auto make = [&](int i) { return after(1s, i); };
        auto range = std::views::iota(0, 100) | std::views::transform(make);
        const std::vector<int> values = co_await gather(range);
        EXPECT_EQ(values.size(), 100U);
    });
    EXPECT_EQ(ex.now(), began + 1s);
}

// cases: T123, T320
TEST_F(gathering, nothing_gives_nothing_at_once) {
    const auto began = ex.now();
    run(ex, [&]() -> task<> {
        const std::tuple<> none = co_await gather();
        (void)none;
        std::vector<task<int>> no_tasks;
        const std::vector<int> empty = co_await gather(std::move(no_tasks));
        EXPECT_TRUE(empty.empty());
        std::vector<task<int>> nor_here;
        const std::vector<settled<int>> nobody = co_await gather_settled(std::move(nor_here));
        EXPECT_TRUE(nobody.empty());
    });
    EXPECT_EQ(ex.now(), began);
}

// cases: T313
TEST_F(gathering, takes_void_references_and_what_can_only_be_moved) {
    int target = 0;
    const auto nothing = []() -> task<> { co_return; };
    const auto reference = [&]() -> task<int&> { co_return target; };
    const auto move_only = []() -> task<std::unique_ptr<int>> {
        co_return std::make_unique<int>(4);
    };
    run(ex, [&]() -> task<> {
        auto [v, r, p] = co_await gather(nothing(), reference(), move_only());
        static_assert(std::is_same_v<decltype(v), std::monostate>);
        EXPECT_EQ(&r, &target);
        EXPECT_EQ(*p, 4);
        std::vector<task<>> many;
        many.push_back(nothing());
        many.push_back(nothing());
        co_await gather(std::move(many));
        auto [sv, sr, sp] = co_await gather_settled(nothing(), reference(), move_only());
        EXPECT_TRUE(sv.has_value());
        EXPECT_EQ(&sr.value().get(), &target);
        EXPECT_EQ(*sp.value(), 4);
    });
}

// cases: T083, T117, T118, T119, T120, T123
TEST_F(gathering, stops_the_others_at_the_first_error_and_throws_all_errors_when_all_have_ended) {
    const auto began = ex.now();
    run(ex, [&]() -> task<> {
        try {
            co_await gather(fail_in_spite_of_a_stop(50ms), after(1h, 1), fail_after(10ms, "first"));
            ADD_FAILURE() << "no error";
        } catch (const exception_group& e) {
            for (const auto& error : e.errors()) seen.push_back(describe(error.error));
        }
    });
    EXPECT_THAT(seen, ElementsAre("first", "late"));
    EXPECT_EQ(ex.now(), began + 50ms);
}

TEST_F(gathering, completes_as_stopped_if_one_stops_and_does_not_wait_for_the_others_in_vain) {
    const auto began = ex.now();
    run(ex, [&]() -> task<> {
        const settled<std::tuple<int, int>> end =
            co_await settle(gather(after(1h, 1), stop_itself()));
        EXPECT_TRUE(end.is_stopped());
        std::vector<task<int>> tasks;
        tasks.push_back(stop_itself());
        tasks.push_back(after(1h, 1));
        const settled<std::vector<int>> same = co_await settle(gather(std::move(tasks)));
        EXPECT_TRUE(same.is_stopped());
        const settled<std::tuple<int, int>> error =
            co_await settle(gather(fail_in_spite_of_a_stop(1ms), stop_itself()));
        EXPECT_TRUE(error.has_error());  // an error goes before a stop
    });
    EXPECT_EQ(ex.now(), began + 1ms);
    EXPECT_TRUE(seen.empty());
}

// cases: T200
TEST_F(gathering, passes_a_stop_on) {
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        co_await gather(after(1h, 1), after(1h, 2));
        seen.emplace_back("went on");
    });
    ex.run_ready();
    all.request_stop();
    all.blocking_join();
    EXPECT_TRUE(seen.empty());
    EXPECT_EQ(all.counts().stopped, 1U);
}

// cases: T307, T310
TEST_F(gathering, settled_lets_everyone_end_and_says_how) {
    run(ex, [&]() -> task<> {
        auto [a, b, c] =
            co_await gather_settled(fail_after(10ms, "x"), after(30ms, 2), stop_itself());
        EXPECT_EQ(describe(a.error()), "x");
        EXPECT_EQ(b.value(), 2);
        EXPECT_TRUE(c.is_stopped());
    });
}

// cases: T304, T307
// What was done is not lost.
TEST_F(gathering, settled_gives_what_there_is_when_it_is_stopped) {
    std::vector<settled<int>> kept;
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        const auto make = [&](int i) { return after(std::chrono::seconds(i), i); };
        auto range = std::views::iota(1, 5) | std::views::transform(make);
        kept = co_await gather_settled(range);
        co_await yield();
        seen.emplace_back("went on");
    });
    ex.advance(2500ms);
    all.request_stop();
    all.blocking_join();
    ASSERT_EQ(kept.size(), 4U);
    EXPECT_EQ(kept[0].value(), 1);
    EXPECT_EQ(kept[1].value(), 2);
    EXPECT_TRUE(kept[2].is_stopped());
    EXPECT_TRUE(kept[3].is_stopped());
    EXPECT_THAT(seen, ElementsAre("1", "2"));
    EXPECT_EQ(all.counts().stopped, 1U);
}

// cases: T282, T307
TEST_F(gathering, settled_gives_what_there_is_when_its_time_is_over) {
    run(ex, [&]() -> task<> {
        auto [a, b] = co_await with_timeout(1s, gather_settled(after(500ms, 1), after(1h, 2)));
        EXPECT_EQ(a.value(), 1);
        EXPECT_TRUE(b.is_stopped());
    });
}

TEST_F(gathering, under_a_stop_runs_nobody) {
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        all.request_stop();
        const auto notes = [&]() -> task<int> {
            seen.emplace_back("ran");
            co_return 1;
        };
        auto [a, b] = co_await gather_settled(notes(), notes());
        EXPECT_TRUE(a.is_stopped());
        EXPECT_TRUE(b.is_stopped());
        co_await gather(notes(), notes());
        seen.emplace_back("went on");
    });
    all.blocking_join();
    EXPECT_TRUE(seen.empty());
}

// cases: T320
// Combinators nest.
TEST_F(gathering, can_be_gathered) {
    run(ex, [&]() -> task<> {
        auto [left, right] = co_await gather(gather(after(1ms, 1), after(2ms, 2)),
                                             gather(after(3ms, 3), after(4ms, 4)));
        EXPECT_EQ(left, std::tuple(1, 2));
        EXPECT_EQ(right, std::tuple(3, 4));
        try {
            co_await gather(gather(fail_after(1ms, "deep"), after(2ms, 2)), after(1h, 3));
            ADD_FAILURE() << "no error";
        } catch (const exception_group& e) {
            EXPECT_EQ(e.errors().size(), 1U);
            EXPECT_EQ(describe(e.flatten().front().error), "deep");
        }
    });
}

// cases: T316
TEST_F(gathering, needs_no_stack_for_what_completes_at_once) {
    const auto at_once = [](int i) -> task<int> { co_return i; };
    run(ex, [&]() -> task<> {
        auto range = std::views::iota(0, 30'000) | std::views::transform(at_once);
        const std::vector<int> values = co_await gather(range);
        EXPECT_EQ(values.back(), 29'999);
    });
}

TEST_F(gathering, is_seen_in_the_tree_with_the_place_of_the_call) {
    task_scope all{ex, {.name = "all"}};
    all.spawn([&]() -> task<> {
        std::vector<task<int>> tasks;
        tasks.push_back(after(1s, 1));
        co_await gather(std::move(tasks));
    });
    ex.run_ready();
    const tree_snapshot tree = snapshot(all);
    ASSERT_EQ(tree.scopes.size(), 2U);
    EXPECT_EQ(tree.scopes[1].path, "/all/gather");
    bool listed = false;
    for (const child_info& c : tree.scopes[1].children) {
        listed = listed || place(c.spawned_at) == "gather_test.cpp:" + std::to_string(__LINE__ - 8);
    }
    EXPECT_TRUE(listed);
    all.blocking_join();
}

class gather_races : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, gather_races, testing::Values(1, 2, 8));

// cases: T234
// Of errors that come at the same time none is lost.
TEST_P(gather_races, of_many_errors) {
    for (int round = 0; round < 50; ++round) {
        std::atomic<std::size_t> thrown{0};
        const auto fails = [&](int) -> task<int> {
            co_await yield();
            thrown.fetch_add(1);
            throw boom();
        };
        std::size_t caught = 0;
        run(ex, [&]() -> task<> {
            auto range = std::views::iota(0, 50) | std::views::transform(fails);
            try {
                co_await gather(range);
            } catch (const exception_group& e) {
                caught = e.errors().size();
            }
        });
        EXPECT_GE(caught, 1U);
        EXPECT_EQ(caught, thrown.load());
    }
}

}  // namespace
}  // namespace taskscope::test
