// tests/combinators/retry_test.cpp - how often, when, and when not.
// SPDX-License-Identifier: MIT
#include <taskscope/retry.hpp>
#include <taskscope/timeout.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <scope/support.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

class retrying : public ledger_test {
protected:
    /// Fails until the attempt with this number.
    auto succeeds_at(int attempt) {
        return [this, attempt]() -> task<int> {
            at.push_back(ex.now() - began);
            if (std::ssize(at) < attempt) throw boom("attempt " + std::to_string(at.size()));
            co_return static_cast<int>(at.size());
        };
    }

    manual_executor ex;
    const executor::clock::time_point began = ex.now();
    std::vector<executor::clock::duration> at;  // when the attempts began
};

constexpr retry_options plain{
    .attempts = 5, .first_delay = 100ms, .longest_delay = 500ms, .jitter = 0};

TEST_F(retrying, waits_longer_each_time_up_to_a_limit) {
    const auto f = succeeds_at(5);
    run(ex, [&]() -> task<> {
        const int n = co_await retry(plain, f);
        EXPECT_EQ(n, 5);
    });
    EXPECT_THAT(at, ElementsAre(0ms, 100ms, 300ms, 700ms, 1200ms));
}

TEST_F(retrying, does_not_wait_when_the_first_attempt_succeeds) {
    const auto f = succeeds_at(1);
    run(ex, [&]() -> task<> { co_await retry(plain, f); });
    EXPECT_THAT(at, ElementsAre(0ms));
    EXPECT_TRUE(ex.idle());
}

TEST_F(retrying, throws_the_last_error_after_the_last_attempt) {
    const auto f = succeeds_at(100);
    run(ex, [&]() -> task<> {
        try {
            co_await retry(plain, f);
            ADD_FAILURE() << "no error";
        } catch (const boom& e) {
            EXPECT_STREQ(e.what(), "attempt 5");
        }
    });
    EXPECT_EQ(ex.now(), began + 1200ms);
}

TEST_F(retrying, asks_whether_an_error_is_worth_it) {
    const auto f = succeeds_at(100);
    std::vector<std::string> asked;
    const auto again = [&](const std::exception_ptr& e) {
        asked.push_back(describe(e));
        return asked.size() < 2;
    };
    const auto body = [&]() -> task<> { co_await retry(plain, f, again); };
    EXPECT_THROW(run(ex, body), boom);
    EXPECT_THAT(asked, ElementsAre("attempt 1", "attempt 2"));
    EXPECT_EQ(ex.now(), began + 100ms);
}

TEST_F(retrying, repeats_also_what_fails_before_it_is_a_coroutine) {
    int calls = 0;
    const auto f = [&]() -> task<> { throw boom("call " + std::to_string(++calls)); };
    const auto body = [&]() -> task<> { co_await retry(plain, f); };
    EXPECT_THROW(run(ex, body), boom);
    EXPECT_EQ(calls, 5);
}

TEST_F(retrying, is_not_for_what_was_stopped) {
    const auto f = [&]() -> task<> {
        at.push_back(ex.now() - began);
        co_await just_stopped();
    };
    run(ex, [&]() -> task<> {
        const settled<void> end = co_await settle(retry(plain, f));
        EXPECT_TRUE(end.is_stopped());
    });
    EXPECT_EQ(at.size(), 1U);
}

TEST_F(retrying, can_be_stopped_while_it_waits) {
    const auto f = succeeds_at(100);
    task_scope all{ex};
    all.spawn([&]() -> task<> { co_await retry(plain, f); });
    ex.advance(50ms);
    all.request_stop();
    all.blocking_join();
    EXPECT_EQ(all.counts().stopped, 1U);
    EXPECT_EQ(at.size(), 1U);
    EXPECT_TRUE(ex.idle());
}

// No sense in waiting for what cannot come in time: the error now is better than a timeout later.
TEST_F(retrying, gives_up_when_the_delay_would_reach_past_the_deadline) {
    const auto f = succeeds_at(100);
    const auto body = [&]() -> task<> { co_await with_timeout(250ms, retry(plain, f)); };
    EXPECT_THROW(run(ex, body), boom);
    EXPECT_THAT(at, ElementsAre(0ms, 100ms));
    EXPECT_EQ(ex.now(), began + 100ms);
}

TEST_F(retrying, leaves_a_part_of_the_delay_to_chance) {
    std::set<std::int64_t> delays;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        at.clear();
        const auto f = succeeds_at(2);
        retry_options half = plain;
        half.jitter = 0.5;
        half.seed = seed;
        run(ex, [&]() -> task<> { co_await retry(half, f); });
        const auto delay = at[1] - at[0];
        EXPECT_GE(delay, 50ms);
        EXPECT_LT(delay, 100ms);
        delays.insert(delay.count());
    }
    EXPECT_GT(delays.size(), 45U);
}

TEST_F(retrying, has_the_same_delays_with_the_same_seed_and_others_without) {
    const auto delay_with = [&](std::uint64_t seed) {
        at.clear();
        const auto f = succeeds_at(2);
        retry_options all = plain;
        all.jitter = 1;
        all.seed = seed;
        run(ex, [&]() -> task<> { co_await retry(all, f); });
        return at[1] - at[0];
    };
    EXPECT_EQ(delay_with(7), delay_with(7));
    EXPECT_NE(delay_with(0), delay_with(0));
}

TEST_F(retrying, is_bounded_by_a_budget_that_calls_fill) {
    retry_budget budget(0.5, 2);
    retry_options from_budget = plain;
    from_budget.budget = &budget;
    const auto attempts = [&] {
        at.clear();
        const auto f = succeeds_at(100);
        const auto body = [&]() -> task<> { co_await retry(from_budget, f); };
        EXPECT_THROW(run(ex, body), boom);
        return at.size();
    };
    EXPECT_EQ(attempts(), 3U);  // two retries were in reserve
    EXPECT_EQ(attempts(), 1U);  // half of one was paid in
    EXPECT_EQ(attempts(), 2U);  // and the other half
    EXPECT_EQ(attempts(), 1U);
    EXPECT_EQ(budget.refused(), 4U);
    for (int i = 0; i < 100; ++i) budget.deposit();
    EXPECT_EQ(attempts(), 3U);  // never more than the reserve
}

TEST_F(retrying, refuses_options_that_mean_nothing) {
    const auto f = succeeds_at(1);
    for (const retry_options& bad :
         {retry_options{.attempts = 0}, retry_options{.first_delay = -1s},
          retry_options{.factor = 0.5}, retry_options{.jitter = 1.5}}) {
        const auto body = [&]() -> task<> { co_await retry(bad, f); };
        EXPECT_THROW(run(ex, body), misuse_error);
    }
    EXPECT_TRUE(at.empty());
}

class budget_races : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, budget_races, testing::Values(1, 2, 8));

TEST_P(budget_races, never_let_out_more_than_there_is) {
    retry_budget budget(0, 50);
    std::atomic<int> taken{0};
    task_scope all{ex};
    for (int i = 0; i < 200; ++i) {
        all.spawn([&] {
            if (budget.try_withdraw()) taken.fetch_add(1);
        });
    }
    all.blocking_join();
    EXPECT_EQ(taken.load(), 50);
    EXPECT_EQ(budget.refused(), 150U);
}

}  // namespace
}  // namespace taskscope::test
