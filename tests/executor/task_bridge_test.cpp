// tests/executor/task_bridge_test.cpp - functions that run elsewhere on behalf of a task.
// SPDX-License-Identifier: MIT
#include <taskscope/deadline.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/run_blocking.hpp>
#include <taskscope/task_bridge.hpp>
#include <taskscope/task_local.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <support/ledger.hpp>
#include <thread>

namespace {

using taskscope::manual_executor;
using taskscope::misuse_error;
using taskscope::task;
using taskscope::task_bridge;
using taskscope::task_local;
using taskscope::with_local;

using TaskBridge = support::ledger;

const task_local<int> number;

TEST_F(TaskBridge, TakesLocalsAndDeadlineToAnotherThread) {
    manual_executor ex;
    const auto until = ex.now() + std::chrono::hours(1);
    const auto work = [&]() -> task<> {
        const task_bridge bridge;
        std::thread other([&] {
            EXPECT_EQ(number.find(), nullptr);
            const int seen = bridge([] { return number.get(); });
            EXPECT_EQ(seen, 7);
            bridge([&] { EXPECT_EQ(taskscope::current_deadline(), until); });
            EXPECT_EQ(number.find(), nullptr);
        });
        other.join();
        co_return;
    };
    const auto body = [&]() -> task<> {
        taskscope::deadline limit(until);
        const auto end = co_await taskscope::settle_by(limit, work());
        EXPECT_TRUE(end.has_value());
    };
    ex.run(with_local(number, 7, body()));
}

// A library may run parts of one task on the worker of another one.
TEST_F(TaskBridge, GivesTheThreadBackToWhomItWorkedFor) {
    manual_executor ex;
    const auto inner = [](const task_bridge& outer) -> task<> {
        EXPECT_EQ(number.get(), 2);
        const int seen = outer([] { return number.get(); });
        EXPECT_EQ(seen, 1);
        EXPECT_THROW(outer([] { throw std::out_of_range("far"); }), std::out_of_range);
        EXPECT_EQ(number.get(), 2);
        co_return;
    };
    const auto body = [&]() -> task<> {
        const task_bridge bridge;
        co_await with_local(number, 2, inner(bridge));
    };
    ex.run(with_local(number, 1, body()));
}

TEST_F(TaskBridge, MayBeginOnAThreadOfRunBlocking) {
    manual_executor ex;
    const auto body = []() -> task<int> {
        co_return co_await taskscope::run_blocking([] {
            const task_bridge bridge;
            int seen = 0;
            std::thread other([&] { seen = bridge([] { return number.get(); }); });
            other.join();
            return seen;
        });
    };
    EXPECT_EQ(ex.run(with_local(number, 7, body())), 7);
}

TEST_F(TaskBridge, BeginsInATask) {
    try {
        const task_bridge nowhere;
        ADD_FAILURE() << "there is no task";
    } catch (const misuse_error& e) {
        EXPECT_EQ(std::string(e.what()).find("taskscope: a task_bridge was made on a thread that"),
                  0U);
    }
}

}  // namespace
