// tests/executor/thread_failure_test.cpp - when the system has no more threads.
// SPDX-License-Identifier: MIT
#include <taskscope/executor.hpp>
#include <taskscope/run_blocking.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <support/failing_threads.hpp>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <system_error>

namespace {

using support::failing_threads;
using support::launched;
using support::running_threads;
using support::until;
using taskscope::executor;
using taskscope::run_blocking;
using taskscope::task;

using ThreadFailure = support::ledger;

task<int> number(int n) { co_return n; }

TEST_F(ThreadFailure, AtAnyWorkerIsASystemErrorAfterTheOthersWereJoined) {
    {
        const executor warm_up({.workers = 1});
    }  // a sanitizer may start a thread of its own now
    const auto before = running_threads();
    for (int k = 1; k <= 5; ++k) {
        const failing_threads fault(k);
        try {
            executor ex({.workers = 5});
            ADD_FAILURE() << "was made although thread " << k << " could not be started";
        } catch (const std::system_error& e) {
            EXPECT_EQ(e.code(), std::errc::resource_unavailable_try_again);
        }
        // A joined thread may still be listed for a moment.
        EXPECT_TRUE(until([&] { return running_threads() == before; })) << "thread " << k;
    }
    const failing_threads fault(6);
    executor ex({.workers = 5});
    EXPECT_EQ(ex.run(number(1)), 1);
}

TEST_F(ThreadFailure, IsTheErrorOfABlockingCallIfThereIsNoThreadAtAll) {
    executor ex({.workers = 1});
    auto body = []() -> task<bool> {
        bool caught = false;
        try {
            co_await run_blocking([] { ADD_FAILURE() << "was called"; });
        } catch (const std::system_error& e) {
            caught = e.code() == std::errc::resource_unavailable_try_again;
        }
        co_return caught;
    };
    {
        const failing_threads fault(1);
        EXPECT_TRUE(ex.run(body()));
        EXPECT_EQ(ex.statistics().blocking_threads, 0U);
    }
    auto again = []() -> task<int> {
        const int n = co_await run_blocking([] { return 3; });
        co_return n;
    };
    EXPECT_EQ(ex.run(again()), 3) << "the failure left no trace";
}

TEST_F(ThreadFailure, LetsABlockingCallWaitForAThreadThatIsBusy) {
    executor ex({.workers = 1});
    std::atomic<bool> entered{false};
    std::atomic<bool> leave{false};
    auto first = [&]() -> task<> {
        co_await run_blocking([&entered, &leave] {
            entered.store(true);
            EXPECT_TRUE(until([&] { return leave.load(); }));
        });
    };
    auto second = []() -> task<int> {
        const int n = co_await run_blocking([] { return 2; });
        co_return n;
    };
    launched<void> a(ex, first());
    ASSERT_TRUE(until([&] { return entered.load(); }));
    const failing_threads fault(1);
    const auto jobs = ex.statistics().jobs;
    launched<int> b(ex, second());
    ASSERT_TRUE(until([&] { return ex.statistics().jobs > jobs; }));
    leave.store(true);
    ASSERT_TRUE(until([&] { return a.ended() && b.ended(); }));
    EXPECT_EQ(b.take(), 2);
}

}  // namespace
