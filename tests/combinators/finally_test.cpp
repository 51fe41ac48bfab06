// tests/combinators/finally_test.cpp - cleanup that awaits runs after value, error and stop, and to its end.
// SPDX-License-Identifier: MIT
#include <taskscope/finally.hpp>
#include <taskscope/timeout.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <scope/support.hpp>
#include <string>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

class finals : public ledger_test {
protected:
    task<int> work(std::chrono::milliseconds d) {
        co_await sleep_for(d);
        seen.emplace_back("worked");
        co_return 7;
    }
    auto cleanup(std::chrono::milliseconds d) {
        return [this, d]() -> task<> {
            co_await sleep_for(d);
            seen.emplace_back("cleaned");
        };
    }

    manual_executor ex;
    std::vector<std::string> seen;
};

TEST_F(finals, run_after_a_value) {
    const auto clean = cleanup(1ms);
    const int value = ex.run(finally(work(1ms), clean));
    EXPECT_EQ(value, 7);
    EXPECT_THAT(seen, ElementsAre("worked", "cleaned"));
}

TEST_F(finals, run_after_an_error) {
    const auto clean = cleanup(1ms);
    EXPECT_THROW(ex.run(finally(throw_boom(), clean)), boom);
    EXPECT_THAT(seen, ElementsAre("cleaned"));
}

// cases: T168, S51
TEST_F(finals, run_to_their_end_after_a_stop_which_goes_on_afterwards) {
    const auto clean = cleanup(5ms);
    task_scope s{ex};
    s.spawn(finally(work(1h), clean));
    ex.advance(1ms);
    s.request_stop();
    ex.advance(1ms);
    EXPECT_FALSE(s.has_ended());
    s.request_stop();  // twice is no help
    s.blocking_join();
    EXPECT_THAT(seen, ElementsAre("cleaned"));
    EXPECT_EQ(s.counts().stopped, 1U);
}

TEST_F(finals, whose_cleanup_alone_fails_throw_its_error) {
    const auto clean = []() -> task<> {
        throw boom("cleanup");
        co_return;
    };
    EXPECT_THROW(ex.run(finally(work(1ms), clean)), boom);
    task_scope s{ex,
                 {.policy = [&](const error_context& e) { seen.push_back(describe(e.error)); }}};
    s.spawn(finally(work(1h), clean));
    ex.advance(1ms);
    s.request_stop();
    s.blocking_join();
    EXPECT_THAT(seen, ElementsAre("worked", "cleanup"));  // an error goes before a stop
}

TEST_F(finals, throw_both_errors_if_there_are_two) {
    const auto clean = []() -> task<> {
        throw boom("cleanup");
        co_return;
    };
    try {
        ex.run(finally(throw_boom(), clean));
        ADD_FAILURE() << "nothing was thrown";
    } catch (const exception_group& e) {
        EXPECT_THAT(e.what(), HasSubstr("a task and its cleanup failed (2 errors): boom; cleanup"));
    }
}

// cases: T267
TEST_F(finals, can_limit_their_cleanup_by_a_timeout_of_its_own) {
    const auto clean = [&]() -> task<> { co_await with_timeout(2ms, work(1h)); };
    task_scope s{ex, {.policy = ignore_errors}};
    s.spawn(finally(work(1h), clean));
    ex.advance(1ms);
    s.request_stop();
    const auto before = ex.now();
    s.blocking_join();
    EXPECT_EQ(ex.now() - before, 2ms);
    EXPECT_TRUE(s.has_errors());
}

TEST_F(finals, take_what_making_the_cleanup_throws_for_its_error) {
    const auto clean = []() -> task<> { throw boom("no cleanup at all"); };
    EXPECT_THROW(ex.run(finally(work(1ms), clean)), boom);
}

}  // namespace
}  // namespace taskscope::test
