// tests/cases/j_results_test.cpp - group J: handles, races and streams, in company.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <atomic>
#include <optional>
#include <ranges>
#include <set>
#include <support/stack.hpp>
#include <support/until.hpp>

namespace taskscope::test {
namespace {

using testing::ElementsAre;

class results : public scenario {};

// cases: T316, T369
TEST_F(results, of_a_hundred_thousand_children_that_complete_at_once_need_no_stack) {
    support::stack_range stack;
    int ran = 0;
    const auto at_once = [&]() -> task<> {
        stack.look();
        ++ran;
        co_return;
    };
    run(ex, [&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            for (int i = 0; i < 100'000; ++i) co_await s.spawn_here(at_once);
        });
        co_await with_scope([&](task_scope& s) -> task<> {
            for (int i = 0; i < 100'000; ++i) s.spawn(at_once);
            co_return;
        });
    });
    EXPECT_EQ(ran, 200'000);
    EXPECT_LT(stack.bytes(), support::stack_range::flat);
}

// cases: T320
TEST_F(results, of_races_and_gatherings_inside_each_other) {
    run(ex, [&]() -> task<> {
        const auto won = co_await race(first_success, gather(after(30ms, 1), after(10ms, 2)),
                                       gather(after(20ms, 3), after(15ms, 4)));
        EXPECT_EQ(won.value, std::tuple(3, 4));
        auto [first, second] = co_await gather(race(first_success, after(1h, 5), after(5ms, 6)),
                                               race(first_success, after(1ms, 7), after(1h, 8)));
        EXPECT_EQ(first.value, 6);
        EXPECT_EQ(second.value, 7);
    });
    EXPECT_EQ(elapsed(), 25ms);
    EXPECT_TRUE(ex.idle());
}

// cases: T321
TEST_F(results, are_read_until_a_predicate_holds_and_the_rest_is_stopped) {
    const int found = run(ex, [&]() -> task<int> {
        std::vector<task<int>> tasks;
        for (const int n : {5, 1, 4, 2, 3}) tasks.push_back(after(milliseconds(n), n));
        const auto until_three = [](completions<int>& done) -> task<int> {
            for (;;) {
                const auto next = co_await done.next();
                if (next->result.value() >= 3) co_return next->result.value();
            }
        };
        co_return co_await as_completed(std::move(tasks), until_three);
    });
    EXPECT_EQ(found, 3);
    EXPECT_EQ(elapsed(), 3ms);
}

// cases: T323
TEST_F(results, of_those_that_were_not_stopped_come_in_the_order_of_completion) {
    task_scope s{ex};
    std::vector<child_handle<int>> all;
    for (int i = 0; i < 10; ++i) all.push_back(s.spawn_future(after(milliseconds(10 - i), i)));
    for (std::size_t i = 1; i < all.size(); i += 2) all[i].request_stop();
    std::vector<int> order;
    run(ex, [&]() -> task<> {
        std::vector<task<int>> waits;
        for (child_handle<int>& h : all) waits.push_back(std::move(h).as_task());
        const auto read = [&](completions<int>& done) -> task<> {
            for (;;) {
                const auto next = co_await done.next();
                if (!next) co_return;
                if (next->result.has_value()) order.push_back(next->result.value());
            }
        };
        co_await as_completed(std::move(waits), read);
    });
    EXPECT_THAT(order, ElementsAre(8, 6, 4, 2, 0));
    EXPECT_EQ(s.counts().stopped, 5U);
    EXPECT_EQ(s.counts().live, 0U);
    s.blocking_join();
}

// cases: T322
TEST_F(results, of_a_handle_are_known_to_other_threads_after_the_join) {
    task_scope s{ex};
    auto value = s.spawn_future(after(1ms, 1));
    auto error = s.spawn_future(fail_after(1ms, "x"));
    auto stopped = s.spawn_future(after(1h, 2));
    EXPECT_FALSE(value.done() || error.done() || stopped.done());
    ex.advance(1ms);
    EXPECT_TRUE(value.done() && error.done());
    EXPECT_FALSE(stopped.done());
    stopped.request_stop();
    s.blocking_join();
    support::threads other;
    other.start([&] {
        EXPECT_TRUE(value.done() && error.done() && stopped.done());
        manual_executor mine;
        EXPECT_EQ(run(mine, [&]() -> task<int> { co_return co_await std::move(value); }), 1);
        EXPECT_THROW(run(mine, [&]() -> task<int> { co_return co_await std::move(error); }), boom);
        EXPECT_THROW(run(mine, [&]() -> task<int> { co_return co_await std::move(stopped); }),
                     stopped_error);
    });
    other.join();
}

// cases: T325
TEST(ready_results, do_not_keep_another_task_from_running) {
    executor ex{{.workers = 1}};
    std::atomic<bool> other_ran{false};
    std::atomic<bool> reading{false};
    task_scope s{ex};
    s.spawn([&]() -> task<> {
        co_await with_completions<int>([&](completions<int>& done) -> task<> {
            const auto ready = []() -> task<int> { co_return 1; };
            while (!other_ran) {
                for (int i = 0; i < 60; ++i) done.spawn(ready);
                for (int i = 0; i < 60; ++i) co_await done.next();
                reading = true;
            }
        });
    });
    ASSERT_TRUE(support::until([&] { return reading.load(); }));
    s.spawn([&] { other_ran = true; });
    s.blocking_join();
    EXPECT_TRUE(other_ran);
}

}  // namespace
}  // namespace taskscope::test
