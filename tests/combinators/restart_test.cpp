// tests/combinators/restart_test.cpp - a worker is begun again, how often, when, and what others learn of it.
// SPDX-License-Identifier: MIT
#include <taskscope/policies.hpp>
#include <taskscope/restart.hpp>
#include <taskscope/task_group.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <scope/support.hpp>
#include <string>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

class restarts : public ledger_test {
protected:
    /// Runs for `life`, then fails; without end.
    auto fails_after(std::chrono::milliseconds life) {
        return [this, life]() -> task<> {
            at.push_back(ex.now() - began);
            co_await sleep_for(life);
            throw boom("attempt " + std::to_string(at.size()));
        };
    }

    manual_executor ex;
    const executor::clock::time_point began = ex.now();
    std::vector<executor::clock::duration> at;  // when the attempts began
    std::vector<std::string> told;
};

constexpr restart_options plain{.most = 3, .window = 10s, .first_delay = 100ms, .jitter = 0};

TEST_F(restarts, come_later_each_time_until_there_were_too_many_within_the_window) {
    const auto f = fails_after(0ms);
    EXPECT_THROW(ex.run(restart(plain, f)), boom);
    EXPECT_THAT(at, ElementsAre(0ms, 100ms, 300ms, 700ms));
}

TEST_F(restarts, go_on_for_ever_if_errors_are_far_enough_apart_and_delays_begin_anew) {
    const auto f = fails_after(11s);
    task_scope s{ex, {.policy = ignore_errors}};
    s.spawn(restart(plain, f));
    ex.advance(1000s);
    EXPECT_EQ(at.size(), 91U);  // every 11.1 s
    s.request_stop();
    s.blocking_join();
    EXPECT_EQ(s.counts().stopped, 1U);
}

TEST_F(restarts, end_with_the_first_attempt_that_does_not_fail) {
    int attempts = 0;
    const auto f = [&]() -> task<> {
        if (++attempts < 3) throw boom();
        co_return;
    };
    ex.run(restart(plain, f));
    EXPECT_EQ(attempts, 3);
}

TEST_F(restarts, are_told_to_handlers_above_each_and_fail_the_group_with_the_last) {
    ex.root().set_policy([&](const error_context& e) {
        told.push_back(describe(e.error) + " in " + std::string(e.scope_path));
    });
    std::vector<std::string> thrown;
    const auto f = fails_after(0ms);
    run(ex, [&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(restart(plain, f));
            g.spawn([]() -> task<> { co_await sleep_for(1h); });
            co_return;
        };
        try {
            co_await with_group("g", body);
        } catch (const exception_group& e) {
            for (const recorded_error& one : e.errors()) thrown.push_back(describe(one.error));
        }
    });
    EXPECT_THAT(told, ElementsAre("attempt 1 in /g/attempt", "attempt 2 in /g/attempt",
                                  "attempt 3 in /g/attempt", "attempt 4 in /g/attempt"));
    EXPECT_THAT(thrown, ElementsAre("attempt 4"));
}

TEST_F(restarts, wait_for_what_the_attempt_has_spawned) {
    std::vector<std::string> seen;
    const auto f = [&]() -> task<> {
        struct note {
            std::vector<std::string>& seen;
            ~note() { seen.emplace_back("helper gone"); }
        };
        seen.emplace_back("attempt");
        spawn([&]() -> task<> {
            const note on_exit{seen};
            co_await sleep_for(1h);
        });
        co_await sleep_for(1ms);
        throw boom();
    };
    restart_options once = plain;
    once.most = 1;
    EXPECT_THROW(ex.run(restart(once, f)), boom);
    EXPECT_THAT(seen, ElementsAre("attempt", "helper gone", "attempt", "helper gone"));
    EXPECT_LT(ex.now() - began, 1s);
}

TEST_F(restarts, end_at_once_when_stopped_while_waiting) {
    const auto f = fails_after(0ms);
    restart_options patient = plain;
    patient.first_delay = 1h;
    patient.longest_delay = 1h;
    task_scope s{ex, {.policy = ignore_errors}};
    s.spawn(restart(patient, f));
    ex.advance(1s);
    s.request_stop();
    s.blocking_join();
    EXPECT_EQ(s.counts().stopped, 1U);
    EXPECT_EQ(at.size(), 1U);
}

TEST_F(restarts, with_senseless_options_are_refused) {
    restart_options odd = plain;
    odd.factor = 0.5;
    const auto f = fails_after(0ms);
    EXPECT_THROW(ex.run(restart(odd, f)), misuse_error);
}

}  // namespace
}  // namespace taskscope::test
