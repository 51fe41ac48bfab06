// tests/combinators/every_test.cpp - when ticks begin, under each policy, and what a timer survives.
// SPDX-License-Identifier: MIT
#include <taskscope/every.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <scope/support.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;
using milliseconds = std::chrono::milliseconds;

class timers : public ledger_test {
protected:
    timers() {
        ex.root().set_policy(
            [this](const error_context& e) { reported.push_back(describe(e.error)); });
    }

    /// Ticks take so long, in turn; those after the last one no time.
    auto taking(std::vector<milliseconds> durations) {
        return [this, all = std::move(durations)]() -> task<> {
            const std::size_t n = begun.size();
            begun.push_back(since_start());
            const guard g{*this};
            if (n < all.size()) co_await sleep_for(all[n]);
        };
    }
    struct guard {
        timers& t;
        ~guard() { t.ended.push_back(t.since_start()); }
    };

    milliseconds since_start() const {
        return std::chrono::duration_cast<milliseconds>(ex.now() - start);
    }

    /// Runs a timer for so long, and stops it.
    template <class F>
    void run_for(milliseconds d, timer_options o, F f) {
        task_scope scope{ex, {.name = "timers"}};
        o.counts = &figures;
        scope.spawn(every(o, f));
        ex.advance(d);
        scope.request_stop();
        scope.blocking_join();
    }

    manual_executor ex;
    const executor::clock::time_point start = ex.now();
    std::vector<milliseconds> begun;
    std::vector<milliseconds> ended;
    std::vector<std::string> reported;
    timer_counts figures;
};

// cases: T327, T337
TEST_F(timers, tick_at_once_and_then_at_multiples_of_the_period) {
    run_for(35ms, {.period = 10ms}, taking({3ms, 3ms, 3ms, 3ms}));
    EXPECT_THAT(begun, ElementsAre(0ms, 10ms, 20ms, 30ms));
    EXPECT_EQ(figures.ticks.load(), 4U);
    EXPECT_EQ(figures.late.load() + figures.missed.load(), 0U);
    EXPECT_TRUE(ex.idle());
}

TEST_F(timers, can_begin_later_and_call_plain_functions) {
    int calls = 0;
    run_for(100ms, {.period = 10ms, .first = 75ms}, [&] {
        ++calls;
        begun.push_back(since_start());
    });
    EXPECT_THAT(begun, ElementsAre(75ms, 85ms, 95ms));
}

TEST_F(timers, can_have_a_name) {
    std::string path;
    run_for(1ms, {.period = 10ms, .name = "cache"}, [&] { path = current_scope().path(); });
    EXPECT_EQ(path, "/timers/cache");
}

// cases: T331
// The drawing in every.hpp.
TEST_F(timers, follow_their_policy_when_a_tick_takes_too_long) {
    struct expected {
        missed_tick policy;
        std::vector<milliseconds> begun;
        std::uint64_t late;
        std::uint64_t missed;
        std::uint64_t stopped;
    };
    const std::vector<expected> all = {
        {missed_tick::overlap, {0ms, 10ms, 20ms, 30ms, 40ms}, 0, 0, 0},
        {missed_tick::skip, {0ms, 30ms, 40ms}, 0, 2, 0},
        {missed_tick::coalesce, {0ms, 25ms, 30ms, 40ms}, 1, 1, 0},
        {missed_tick::burst, {0ms, 25ms, 25ms, 30ms, 40ms}, 2, 0, 0},
        {missed_tick::delay, {0ms, 25ms, 35ms}, 1, 0, 0},
        {missed_tick::cancel_previous, {0ms, 10ms, 20ms, 30ms, 40ms}, 0, 0, 1},
    };
    for (const expected& e : all) {
        manual_executor own;
        const auto began = own.now();
        std::vector<milliseconds> at;
        timer_counts counts;
        const auto tick = [&]() -> task<> {
            at.push_back(std::chrono::duration_cast<milliseconds>(own.now() - began));
            if (at.size() == 1) co_await sleep_for(25ms);
        };
        task_scope scope{own};
        scope.spawn(every({.period = 10ms, .when_missed = e.policy, .counts = &counts}, tick));
        own.advance(44ms);
        scope.request_stop();
        scope.blocking_join();
        EXPECT_EQ(at, e.begun) << "policy " << static_cast<int>(e.policy);
        EXPECT_EQ(counts.ticks.load(), e.begun.size());
        EXPECT_EQ(counts.late.load(), e.late) << "policy " << static_cast<int>(e.policy);
        EXPECT_EQ(counts.missed.load(), e.missed) << "policy " << static_cast<int>(e.policy);
        EXPECT_EQ(counts.stopped.load(), e.stopped) << "policy " << static_cast<int>(e.policy);
    }
}

TEST_F(timers, that_skip_take_a_tick_that_is_just_due) {
    run_for(45ms, {.period = 10ms, .when_missed = missed_tick::skip}, taking({20ms, 10ms}));
    EXPECT_THAT(begun, ElementsAre(0ms, 20ms, 30ms, 40ms));
    EXPECT_EQ(figures.missed.load(), 1U);
}

TEST_F(timers, that_coalesce_make_one_tick_of_many) {
    run_for(75ms, {.period = 10ms, .when_missed = missed_tick::coalesce}, taking({55ms}));
    EXPECT_THAT(begun, ElementsAre(0ms, 55ms, 60ms, 70ms));
    EXPECT_EQ(figures.missed.load(), 4U);
}

// cases: S46
// The previous one is not only asked to stop, it is waited for.
TEST_F(timers, that_cancel_wait_for_the_previous_tick_before_they_begin_the_next) {
    const auto deaf = [&]() -> task<> {
        begun.push_back(since_start());
        const guard g{*this};
        async_event never;
        [[maybe_unused]] const bool b = co_await never.wait_until_shielded(ex.now() + 24ms);
    };
    run_for(50ms, {.period = 10ms, .when_missed = missed_tick::cancel_previous}, deaf);
    // Due at 0, 10, 20 (missed), 30, 40, 50 (missed).
    EXPECT_THAT(begun, ElementsAre(0ms, 24ms, 48ms));
    EXPECT_THAT(ended, ElementsAre(24ms, 48ms, 72ms));
    EXPECT_EQ(figures.stopped.load(), 2U);
    EXPECT_EQ(figures.missed.load(), 2U);
    EXPECT_EQ(figures.late.load(), 2U);
}

// cases: T328
TEST_F(timers, live_on_when_a_tick_fails_and_its_error_goes_to_the_handler_of_the_scope) {
    std::vector<std::string> told;
    task_scope scope{ex, {.name = "timers", .policy = [&](const error_context& e) {
                              told.push_back(std::string(e.scope_path) + ' ' +
                                             std::string(e.task_name) + ' ' + describe(e.error));
                          }}};
    int calls = 0;
    const auto fails = [&]() -> task<> {  // no coroutine
        if (++calls == 1) throw boom("plain");
        return throw_boom();
    };
    scope.spawn(every(10ms, missed_tick::skip, fails));
    ex.advance(25ms);
    scope.request_stop();
    scope.blocking_join();
    EXPECT_THAT(told, ElementsAre("/timers/every tick plain", "/timers/every tick boom",
                                  "/timers/every tick boom"));
    EXPECT_TRUE(reported.empty());
}

// cases: T329, T337
TEST_F(timers, that_are_stopped_stop_their_ticks_and_wait_for_them) {
    for (const auto policy : {missed_tick::overlap, missed_tick::skip}) {
        begun.clear();
        ended.clear();
        run_for(25ms, {.period = 10ms, .when_missed = policy}, taking({1h, 1h, 1h}));
        EXPECT_EQ(begun.size(), policy == missed_tick::overlap ? 3U : 1U);
        EXPECT_EQ(ended.size(), begun.size());
        EXPECT_TRUE(ex.idle());
    }
}

// L: a timer does not keep a scope from draining.
TEST_F(timers, end_when_their_scope_is_closed_and_let_the_running_tick_finish) {
    task_scope scope{ex, {.name = "timers"}};
    const auto tick = taking({3ms, 8ms});
    scope.spawn(every(10ms, missed_tick::skip, tick));
    ex.advance(12ms);
    scope.close();
    scope.blocking_join();
    EXPECT_THAT(begun, ElementsAre(0ms, 10ms));
    EXPECT_THAT(ended, ElementsAre(3ms, 18ms));
    EXPECT_EQ(scope.counts().stopped, 0U);
}

TEST_F(timers, are_drained_by_a_shutdown) {
    task_scope scope{ex, {.name = "timers"}};
    const auto tick = taking({});
    scope.spawn(every(10ms, missed_tick::overlap, tick));
    ex.advance(5ms);
    const shutdown_report r = scope.blocking_shutdown({.drain = 1s, .stop = 1s});
    EXPECT_TRUE(r.complete());
    EXPECT_EQ(r.stopped(), 0U);
    EXPECT_EQ(since_start(), 5ms);
}

TEST_F(timers, that_overlap_can_be_bounded) {
    run_for(45ms, {.period = 10ms, .when_missed = missed_tick::overlap, .most_at_once = 2},
            taking({25ms, 25ms, 25ms}));
    EXPECT_THAT(begun, ElementsAre(0ms, 10ms, 30ms, 40ms));
    EXPECT_EQ(figures.missed.load(), 1U);
}

// cases: T337
TEST_F(timers, can_leave_a_part_of_the_time_to_chance_without_drifting) {
    run_for(1000ms, {.period = 10ms, .jitter = 8ms, .seed = 5}, taking({}));
    ASSERT_EQ(begun.size(), 100U);
    std::set<milliseconds> offsets;
    for (std::size_t i = 0; i < begun.size(); ++i) {
        const auto offset = begun[i] - static_cast<int>(i) * 10ms;
        EXPECT_GE(offset, 0ms);
        EXPECT_LT(offset, 8ms);
        offsets.insert(offset);
    }
    EXPECT_GE(offsets.size(), 5U);
    EXPECT_EQ(figures.late.load() + figures.missed.load(), 0U);
}

// cases: T330, T332
TEST_F(timers, do_not_mind_times_that_are_far_away) {
    ex.advance(24h * 365 * 200);
    run_for(10ms, {.period = timer_options::duration::max()}, taking({}));
    EXPECT_EQ(begun.size(), 1U);
    begun.clear();
    run_for(10ms, {.period = 1ms, .first = timer_options::duration::max()}, taking({}));
    EXPECT_TRUE(begun.empty());
}

// cases: T331
TEST_F(timers, refuse_options_that_mean_nothing) {
    for (const timer_options& bad : {timer_options{}, timer_options{.period = -1ms},
                                     timer_options{.period = 10ms, .first = -1ms},
                                     timer_options{.period = 10ms, .jitter = 10ms},
                                     timer_options{.period = 10ms, .late_after = -1ms}}) {
        EXPECT_THROW(ex.run(every(bad, [] {})), misuse_error);
    }
    EXPECT_THROW(ex.run(every(0s, missed_tick::skip, [] {})), misuse_error);
}

class timer_races : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, timer_races, testing::Values(1, 2, 8));

// Ticks that end by themselves, are stopped for the next one, and are stopped with everything.
TEST_P(timer_races, of_ticks_against_their_end) {
    for (const auto policy : {missed_tick::overlap, missed_tick::burst,
                              missed_tick::cancel_previous, missed_tick::coalesce}) {
        timer_counts counts;
        std::atomic<std::uint64_t> begun{0};
        std::atomic<std::uint64_t> ended{0};
        const auto tick = [&]() -> task<> {
            struct guard {
                std::atomic<std::uint64_t>& n;
                ~guard() { n.fetch_add(1); }
            };
            begun.fetch_add(1);
            const guard g{ended};
            co_await sleep_for(std::chrono::microseconds(begun.load() % 3 * 40));
        };
        task_scope scope{ex};
        for (int i = 0; i < 4; ++i) {
            scope.spawn(every({.period = 50us, .when_missed = policy, .counts = &counts}, tick));
        }
        scope.spawn([&]() -> task<> {
            while (counts.ticks.load() < 400) co_await sleep_for(100us);
            scope.request_stop();
        });
        scope.blocking_join();
        EXPECT_EQ(begun.load(), ended.load());
        EXPECT_GE(counts.ticks.load(), begun.load());
    }
}

}  // namespace
}  // namespace taskscope::test
