// tests/combinators/timeout_test.cpp - in time, out of time, and whose time it was.
// SPDX-License-Identifier: MIT
#include <taskscope/timeout.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <scope/support.hpp>
#include <string>
#include <type_traits>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

class timeouts : public ledger_test {
protected:
    manual_executor ex;
    std::vector<std::string> seen;
};

task<int> after(deadline::clock::duration d, int value) {
    co_await sleep_for(d);
    co_return value;
}

task<> sleeps() { co_await sleep_for(1h); }

/// Not interrupted by a stop.
task<> busy(executor& ex, deadline::clock::duration d) {
    async_event never;
    [[maybe_unused]] const bool happened = co_await never.wait_until_shielded(ex.now() + d);
}

// cases: T260, T276
TEST_F(timeouts, not_reached_give_the_value_and_leave_nothing_behind) {
    const int value = run(ex, [&]() -> task<int> {
        const int a = co_await with_timeout(1s, after(10ms, 1));
        const int b = co_await with_deadline(ex.now() + 1s, after(10ms, 2));
        const std::optional<int> c = co_await move_on_after(1s, after(10ms, 3));
        const std::optional<int> d = co_await move_on_at(ex.now() + 1s, after(10ms, 4));
        const bool e = co_await move_on_after(1s, busy(ex, 10ms));
        co_return a + b + *c + *d + (e ? 5 : 0);
    });
    EXPECT_EQ(value, 15);
    EXPECT_TRUE(ex.idle());
}

TEST_F(timeouts, give_what_can_only_be_moved_and_references) {
    int target = 0;
    const auto move_only = []() -> task<std::unique_ptr<int>> {
        co_return std::make_unique<int>(6);
    };
    const auto reference = [&]() -> task<int&> { co_return target; };
    run(ex, [&]() -> task<> {
        const std::unique_ptr<int> p = co_await with_timeout(1s, move_only());
        EXPECT_EQ(*p, 6);
        int& r = co_await with_timeout(1s, reference());
        EXPECT_EQ(&r, &target);
    });
}

// cases: T258, T264, T268, T276
TEST_F(timeouts, throw_at_their_time_and_say_where_they_were_set) {
    const auto began = ex.now();
    run(ex, [&]() -> task<> {
        const auto line = std::source_location::current().line() + 2;
        try {
            const int n = co_await with_timeout(10ms, after(1h, 1));
            ADD_FAILURE() << n;
        } catch (const timeout_error& e) {
            EXPECT_EQ(e.what(), "taskscope: timed out, by the limit set at timeout_test.cpp:" +
                                    std::to_string(line));
            EXPECT_EQ(e.where().line(), line);
        }
        EXPECT_EQ(ex.now(), began + 10ms);
        co_await sleep_for(1ms);  // the task is usable after it
        const bool done = co_await move_on_after(10ms, busy(ex, 1ms));
        EXPECT_TRUE(done);
        const std::optional<int> nothing = co_await move_on_after(10ms, after(1h, 1));
        EXPECT_FALSE(nothing.has_value());
        const bool in_time = co_await move_on_at(ex.now() + 10ms, sleeps());
        EXPECT_FALSE(in_time);
    });
    EXPECT_EQ(ex.now(), began + 32ms);
}

// cases: T276, T278, T282, T283
TEST_F(timeouts, wait_until_the_task_and_its_children_have_ended) {
    const auto began = ex.now();
    const auto op = [&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            s.spawn([&]() -> task<> {
                co_await busy(ex, 50ms);
                seen.emplace_back("child ended");
            });
            co_await sleep_for(1h);
        });
        seen.emplace_back("went on");
    };
    run(ex, [&]() -> task<> {
        try {
            co_await with_timeout(10ms, op());
        } catch (const timeout_error&) {
            seen.emplace_back("timeout");
        }
    });
    EXPECT_THAT(seen, ElementsAre("child ended", "timeout"));
    EXPECT_EQ(ex.now(), began + 50ms);
}

// cases: T261, T269, T276, T282
TEST_F(timeouts, of_no_time_at_all_fire_at_the_first_suspension) {
    for (const auto none : {0s, -1s}) {
        const auto op = [&]() -> task<> {
            seen.emplace_back("begins");
            co_await yield();
            seen.emplace_back("went on");
        };
        const bool done =
            run(ex, [&]() -> task<bool> { co_return co_await move_on_after(none, op()); });
        EXPECT_FALSE(done);
    }
    EXPECT_THAT(seen, ElementsAre("begins", "begins"));
}

TEST_F(timeouts, of_more_time_than_a_clock_can_say_never_come) {
    const int n = run(ex, [&]() -> task<int> {
        co_return co_await with_timeout(std::chrono::hours::max(), after(1h, 1));
    });
    EXPECT_EQ(n, 1);
}

// cases: T262, T276
TEST_F(timeouts, pass_the_errors_of_the_task_also_one_of_its_cleanup) {
    const auto cleanup_fails = [&]() -> task<> {
        const bool done = co_await stopped_as_optional(sleeps());
        if (!done) throw boom("cleanup");
    };
    run(ex, [&]() -> task<> {
        try {
            co_await with_timeout(1s, throw_boom());
        } catch (const boom& e) {
            seen.emplace_back(e.what());
        }
        try {
            co_await with_timeout(1s, cleanup_fails());
        } catch (const boom& e) {
            seen.emplace_back(e.what());
        }
    });
    EXPECT_THAT(seen, ElementsAre("boom", "cleanup"));
}

// cases: T206, T255, T276, T278
// What is ready counts.
TEST_F(timeouts, do_not_take_a_late_value_away) {
    const auto op = [&]() -> task<int> {
        co_await busy(ex, 1s);
        co_return 5;
    };
    EXPECT_EQ(run(ex, [&]() -> task<int> { co_return co_await with_timeout(10ms, op()); }), 5);
}

// cases: T263, T278
TEST_F(timeouts, do_not_claim_a_stop_from_outside) {
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        try {
            co_await with_timeout(1h, sleeps());
        } catch (...) {
            seen.emplace_back("caught");
        }
        seen.emplace_back("went on");
    });
    ex.run_ready();
    all.request_stop();
    all.blocking_join();
    EXPECT_TRUE(seen.empty());
    EXPECT_EQ(all.counts().stopped, 1U);
}

TEST_F(timeouts, that_come_after_a_stop_are_no_timeouts) {
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        const auto slow = [&]() -> task<> {
            co_await busy(ex, 1s);
            co_await checkpoint();
        };
        co_await with_timeout(10ms, slow());
    });
    ex.run_ready();
    all.request_stop();
    all.blocking_join();
    EXPECT_EQ(all.counts().stopped, 1U);
    EXPECT_FALSE(all.has_errors());
}

// cases: T221
// The timeout is not eaten by the stop, and the stop is not lost.
TEST_F(timeouts, that_came_first_are_thrown_and_the_stop_is_seen_next) {
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        const auto slow = [&]() -> task<> {
            co_await busy(ex, 1s);
            co_await checkpoint();
        };
        try {
            co_await with_timeout(10ms, slow());
        } catch (const timeout_error&) {
            seen.emplace_back("timeout");
        }
        co_await yield();
        seen.emplace_back("went on");
    });
    ex.advance(20ms);
    all.request_stop();
    all.blocking_join();
    EXPECT_THAT(seen, ElementsAre("timeout"));
    EXPECT_EQ(all.counts().stopped, 1U);
}

// cases: T221, T265, T277
TEST_F(timeouts, nested_leave_the_decision_to_the_outermost_that_has_passed) {
    struct limits {
        deadline::clock::duration outer;
        deadline::clock::duration inner;
        std::string decides;
    };
    const std::vector<limits> all = {
        {10ms, 10ms, "outer"}, {10ms, 1h, "outer"}, {1h, 10ms, "inner"}, {10ms, 5ms, "inner"}};
    for (const limits& l : all) {
        seen.clear();
        const auto inner = [&]() -> task<> {
            try {
                co_await with_timeout(l.inner, sleeps());
            } catch (const timeout_error&) {
                seen.emplace_back("inner");
            }
        };
        run(ex, [&]() -> task<> {
            try {
                co_await with_timeout(l.outer, inner());
            } catch (const timeout_error&) {
                seen.emplace_back("outer");
            }
        });
        EXPECT_THAT(seen, ElementsAre(l.decides));
    }
    // Both have passed when somebody comes to look.
    seen.clear();
    const auto late = [&]() -> task<> {
        const auto slow = [&]() -> task<> {
            co_await busy(ex, 1s);
            co_await checkpoint();
        };
        const bool done = co_await move_on_after(10ms, slow());
        seen.emplace_back(done ? "done" : "moved on");
    };
    run(ex, [&]() -> task<> {
        try {
            co_await with_timeout(20ms, late());
        } catch (const timeout_error&) {
            seen.emplace_back("outer");
        }
    });
    EXPECT_THAT(seen, ElementsAre("outer"));
}

// cases: T264
TEST_F(timeouts, work_again_after_one_has_passed) {
    run(ex, [&]() -> task<> {
        bool timed_out = false;
        try {
            co_await with_timeout(10ms, sleeps());
        } catch (const timeout_error&) {
            timed_out = true;
        }
        EXPECT_TRUE(timed_out);
        const bool in_time = co_await move_on_after(10ms, busy(ex, 1ms));
        EXPECT_TRUE(in_time);
        const bool again = co_await move_on_after(10ms, sleeps());
        EXPECT_FALSE(again);
    });
}

// cases: T266, T270
TEST_F(timeouts, can_be_moved_by_the_task_itself) {
    deadline d(ex.now() + 10ms);
    const auto began = ex.now();
    const auto op = [&]() -> task<> {
        for (int i = 0; i < 5; ++i) {  // a watchdog: every sign of life moves it
            co_await sleep_for(8ms);
            d.move_to(ex.now() + 10ms);
        }
        co_await sleeps();
    };
    const auto later = [&]() -> task<bool> { co_return co_await move_on_at(d, op()); };
    EXPECT_FALSE(run(ex, later));
    EXPECT_EQ(ex.now(), began + 50ms);
    EXPECT_TRUE(d.expired());
    const auto again = [&]() -> task<> { co_await with_deadline(d, sleeps()); };
    EXPECT_THROW(run(ex, again), misuse_error);
}

// cases: T285
TEST_F(timeouts, of_a_scope_reach_all_its_children_which_know_how_long_they_have) {
    std::vector<deadline::clock::duration> left;
    const auto op = [&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            for (const auto limit : {30ms, 5ms}) {
                s.spawn([&, limit]() -> task<> {
                    const auto look = [&]() -> task<> {
                        left.push_back(remaining());
                        co_await sleeps();
                    };
                    co_await move_on_after(limit, look());
                    seen.emplace_back("moved on");
                    co_await sleeps();
                });
            }
            co_return;
        });
    };
    const bool done =
        run(ex, [&]() -> task<bool> { co_return co_await move_on_after(10ms, op()); });
    EXPECT_TRUE(done);  // the block's body had ended; what its children missed is theirs
    EXPECT_THAT(left, ElementsAre(10ms, 5ms));
    EXPECT_THAT(seen, ElementsAre("moved on"));
}

class timeout_races : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, timeout_races, testing::Values(1, 2, 8));

// Timers, results and a stop of everything at the same time: each ends, one way, once.
TEST_P(timeout_races, of_results_timeouts_and_a_stop) {
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> in_time{0};
        std::atomic<int> late{0};
        task_scope all{ex, {.policy = ignore_errors}};
        for (int i = 0; i < 100; ++i) {
            all.spawn([&, i]() -> task<> {
                const auto time = std::chrono::microseconds(i % 10 * 20);
                try {
                    const int n = co_await with_timeout(100us, after(time, i));
                    EXPECT_EQ(n, i);
                    in_time.fetch_add(1);
                } catch (const timeout_error&) {
                    late.fetch_add(1);
                }
            });
        }
        if (round % 2 == 0) all.request_stop();
        all.blocking_join();
        const scope_counts c = all.counts();
        EXPECT_EQ(c.failed, 0U);
        EXPECT_EQ(static_cast<std::uint64_t>(in_time + late) + c.stopped, 100U);
    }
}

}  // namespace
}  // namespace taskscope::test
