// tests/combinators/race_test.cpp - who wins, what becomes of the losers, and where errors go.
// SPDX-License-Identifier: MIT
#include <taskscope/race.hpp>
#include <taskscope/timeout.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <scope/support.hpp>
#include <string>
#include <utility>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;

class races : public ledger_test {
protected:
    races() {
        ex.root().set_policy(
            [this](const error_context& e) { reported.push_back(describe(e.error)); });
    }

    task<int> after(std::chrono::milliseconds d, int value) {
        const note n{seen, "end of " + std::to_string(value)};
        seen.push_back("start of " + std::to_string(value));
        co_await sleep_for(d);
        co_return value;
    }
    task<int> fail_after(std::chrono::milliseconds d, std::string what) {
        co_await sleep_for(d);
        throw boom(what);
    }
    /// Ignores a stop.
    task<int> end_in_any_case(std::chrono::milliseconds d, bool fail) {
        async_event never;
        [[maybe_unused]] const bool b = co_await never.wait_until_shielded(ex.now() + d);
        if (fail) throw boom("late");
        co_return 99;
    }
    task<int> stop_itself() {
        co_await just_stopped();
        co_return 0;
    }

    struct note {
        std::vector<std::string>& seen;
        std::string what;
        ~note() { seen.push_back(what); }
    };

    manual_executor ex;
    std::vector<std::string> seen;
    std::vector<std::string> reported;
};

std::vector<std::string> texts(const exception_group& g) {
    std::vector<std::string> result;
    for (const recorded_error& e : g.errors()) result.push_back(describe(e.error));
    return result;
}

std::vector<std::string> texts(const std::vector<std::exception_ptr>& errors) {
    std::vector<std::string> all;
    all.reserve(errors.size());
    for (const auto& e : errors) all.push_back(describe(e));
    return all;
}

// cases: T308, T313, T320, S16
TEST_F(races, are_won_by_the_first_value_and_the_others_are_stopped_and_awaited) {
    const auto began = ex.now();
    run(ex, [&]() -> task<> {
        const auto won = co_await race(first_success, after(20ms, 1), after(10ms, 2),
                                       end_in_any_case(50ms, false));
        EXPECT_EQ(won.value, 2);
        EXPECT_EQ(won.index, 1U);
        EXPECT_THAT(won.errors, IsEmpty());
    });
    EXPECT_THAT(seen, ElementsAre("start of 1", "start of 2", "end of 2", "end of 1"));
    EXPECT_EQ(ex.now(), began + 50ms);  // the last one took no notice of the stop
    EXPECT_THAT(reported, IsEmpty());
}

// cases: T308, T314, S16
TEST_F(races, for_success_go_on_past_errors_and_tell_them) {
    run(ex, [&]() -> task<> {
        const auto won =
            co_await race(first_success, fail_after(10ms, "one"), after(30ms, 4),
                          fail_after(20ms, "two"), stop_itself(), after(1h, 5), after(1h, 6));
        EXPECT_EQ(won.value, 4);
        EXPECT_EQ(won.index, 1U);
        EXPECT_THAT(texts(won.errors), ElementsAre("one", "two"));
    });
    EXPECT_THAT(reported, IsEmpty());
}

// cases: T308, T314
TEST_F(races, that_nobody_wins_throw_all_errors) {
    run(ex, [&]() -> task<> {
        try {
            co_await race(first_success, fail_after(20ms, "b"), fail_after(10ms, "a"),
                          stop_itself());
            ADD_FAILURE() << "somebody won";
        } catch (const exception_group& e) {
            EXPECT_THAT(texts(e), ElementsAre("a", "b"));
            EXPECT_STREQ(e.what(), "taskscope: nobody won the race (2 errors): a; b");
        }
        const settled<race_result<int>> end =
            co_await settle(race(first_success, stop_itself(), stop_itself()));
        EXPECT_TRUE(end.is_stopped());
    });
    EXPECT_THAT(reported, IsEmpty());
}

// cases: T308, T313, S16
TEST_F(races, for_completion_are_decided_by_the_first_end_of_any_kind) {
    run(ex, [&]() -> task<> {
        const auto won = co_await race(first_completion, after(10ms, 1), fail_after(20ms, "x"));
        EXPECT_EQ(won.value, 1);
        try {
            co_await race(first_completion, after(20ms, 2), fail_after(10ms, "y"));
            ADD_FAILURE() << "no error";
        } catch (const boom& e) {
            EXPECT_STREQ(e.what(), "y");
        }
        const settled<race_result<int>> end =
            co_await settle(race(first_completion, after(10ms, 3), stop_itself()));
        EXPECT_TRUE(end.is_stopped());
    });
}

// cases: T148
// An error that comes too late has a place to go.
TEST_F(races, pass_the_errors_of_losers_from_after_the_decision_to_the_handler) {
    run(ex, [&]() -> task<> {
        const auto won = co_await race(first_success, after(10ms, 1), end_in_any_case(50ms, true));
        EXPECT_EQ(won.value, 1);
        EXPECT_THAT(won.errors, IsEmpty());
        EXPECT_THAT(reported, ElementsAre("late"));
    });
}

// cases: T308, T320
TEST_F(races, need_contenders) {
    run(ex, [&]() -> task<> {
        std::vector<task<int>> nobody;
        EXPECT_THROW((void)race(first_success, std::move(nobody)), misuse_error);
        co_return;
    });
}

// cases: T313, T320
TEST_F(races, take_ranges_void_references_and_what_can_only_be_moved) {
    int target = 0;
    const auto nothing = []() -> task<> { co_return; };
    const auto reference = [&]() -> task<int&> { co_return target; };
    const auto move_only = []() -> task<std::unique_ptr<int>> {
        co_return std::make_unique<int>(4);
    };
    run(ex, [&]() -> task<> {
        const auto v = co_await race(first_success, nothing(), nothing());
        EXPECT_EQ(v.index, 0U);
        const auto r = co_await race(first_completion, reference());
        EXPECT_EQ(&r.value, &target);
        std::vector<task<std::unique_ptr<int>>> many;
        many.push_back(move_only());
        many.push_back(move_only());
        const auto p = co_await race(first_success, std::move(many));
        EXPECT_EQ(*p.value, 4);
    });
}

TEST_F(races, pass_a_stop_on) {
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        co_await race(first_success, after(1h, 1), after(1h, 2));
        seen.emplace_back("went on");
    });
    ex.run_ready();
    all.request_stop();
    all.blocking_join();
    EXPECT_THAT(seen, UnorderedElementsAre("start of 1", "start of 2", "end of 1", "end of 2"));
    EXPECT_EQ(all.counts().stopped, 1U);
}

// What has failed before a stop is not hidden by it.
TEST_F(races, that_are_stopped_after_an_error_throw_it) {
    task_scope all{ex};
    all.spawn(
        [&]() -> task<> { co_await race(first_success, fail_after(1ms, "early"), after(1h, 2)); });
    ex.advance(10ms);
    all.request_stop();
    all.blocking_join();
    EXPECT_THAT(reported, ElementsAre("taskscope: nobody won the race (1 error): early"));
}

// cases: T304
TEST_F(races, can_have_a_timeout) {
    run(ex, [&]() -> task<> {
        const auto won = co_await move_on_after(10ms, race(first_success, after(1h, 1)));
        EXPECT_FALSE(won.has_value());
    });
}

// cases: S16
// Happy eyeballs.
TEST_F(races, with_staggered_starts_give_each_a_head_start) {
    const auto began = ex.now();
    run(ex, [&]() -> task<> {
        const auto won =
            co_await staggered_race(250ms, after(600ms, 1), after(300ms, 2), after(1h, 3));
        EXPECT_EQ(won.value, 2);  // began at 250 ms
    });
    EXPECT_EQ(ex.now(), began + 550ms);
    ASSERT_EQ(seen.size(), 6U);
    seen.resize(4);
    EXPECT_THAT(seen, ElementsAre("start of 1", "start of 2", "start of 3", "end of 2"));
}

TEST_F(races, with_staggered_starts_do_not_start_whom_they_do_not_need) {
    run(ex, [&]() -> task<> {
        const auto won = co_await staggered_race(250ms, after(100ms, 1), after(1h, 2));
        EXPECT_EQ(won.value, 1);
    });
    EXPECT_THAT(seen, ElementsAre("start of 1", "end of 1"));
    EXPECT_TRUE(ex.idle());
}

TEST_F(races, with_staggered_starts_go_on_at_once_after_an_error) {
    const auto began = ex.now();
    run(ex, [&]() -> task<> {
        std::vector<task<int>> tasks;
        tasks.push_back(fail_after(10ms, "v6"));
        tasks.push_back(after(50ms, 4));
        const auto won = co_await staggered_race(250ms, std::move(tasks));
        EXPECT_EQ(won.value, 4);
        EXPECT_THAT(texts(won.errors), ElementsAre("v6"));
    });
    EXPECT_EQ(ex.now(), began + 60ms);
}

TEST_F(races, with_staggered_starts_can_be_stopped_while_they_wait) {
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        co_await staggered_race(250ms, after(1h, 1), after(1h, 2));
        seen.emplace_back("went on");
    });
    ex.advance(100ms);
    all.request_stop();
    all.blocking_join();
    EXPECT_THAT(seen, ElementsAre("start of 1", "end of 1"));
}

class hedging : public races {};

TEST_F(hedging, tries_again_when_an_attempt_is_slow_and_takes_the_faster) {
    const auto began = ex.now();
    int calls = 0;
    const auto ask = [&]() -> task<int> {
        const int call = ++calls;
        co_await sleep_for(call == 1 ? 1h : 10ms);
        co_return call;
    };
    run(ex, [&]() -> task<> {
        const auto won = co_await hedge({.most = 3, .after = 50ms}, ask);
        EXPECT_EQ(won.value, 2);
        EXPECT_EQ(won.index, 1U);
    });
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(ex.now(), began + 60ms);
}

TEST_F(hedging, does_not_try_again_when_the_first_is_fast) {
    int calls = 0;
    const auto ask = [&]() -> task<int> {
        co_await sleep_for(10ms);
        co_return ++calls;
    };
    run(ex, [&]() -> task<> {
        const auto won = co_await hedge({.most = 2, .after = 50ms}, ask);
        EXPECT_EQ(won.value, 1);
    });
    EXPECT_TRUE(ex.idle());
}

TEST_F(hedging, has_so_many_attempts_and_takes_what_the_call_itself_throws_for_one) {
    int calls = 0;
    const auto ask = [&]() -> task<int> {  // no coroutine
        throw boom("call " + std::to_string(++calls));
    };
    run(ex, [&]() -> task<> {
        try {
            co_await hedge({.most = 3, .after = 50ms}, ask);
            ADD_FAILURE() << "somebody won";
        } catch (const exception_group& e) {
            EXPECT_THAT(texts(e), ElementsAre("call 1", "call 2", "call 3"));
        }
        EXPECT_THROW(co_await hedge({.most = 0, .after = 50ms}, ask), misuse_error);
    });
    EXPECT_EQ(calls, 3);
}

class race_races : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, race_races, testing::Values(1, 2, 8));

// One winner, and every error in one place.
TEST_P(race_races, of_values_and_errors) {
    std::atomic<int> reported{0};
    ex.root().set_policy([&](const error_context&) { reported.fetch_add(1); });
    std::atomic<int> thrown{0};
    const auto contender = [&](int i) -> task<int> {
        co_await yield();
        if (i % 2 == 0) co_return i;
        thrown.fetch_add(1);
        throw boom();
    };
    int told = 0;
    for (int round = 0; round < 100; ++round) {
        run(ex, [&]() -> task<> {
            auto won = co_await race(first_success, contender(0), contender(1), contender(2),
                                     contender(3));
            EXPECT_EQ(won.value % 2, 0);
            EXPECT_EQ(won.value, static_cast<int>(won.index));
            told += static_cast<int>(won.errors.size());
        });
    }
    EXPECT_EQ(told + reported.load(), thrown.load());
}

TEST_P(race_races, of_staggered_starts_against_values) {
    for (int round = 0; round < 100; ++round) {
        const auto contender = [](int i) -> task<int> {
            co_await sleep_for(std::chrono::microseconds(30));
            co_return i;
        };
        run(ex, [&]() -> task<> {
            const auto won = co_await staggered_race(15us, contender(0), contender(1), contender(2),
                                                     contender(3));
            EXPECT_EQ(won.value, static_cast<int>(won.index));
        });
    }
}

}  // namespace
}  // namespace taskscope::test
