// tests/executor/task_local_test.cpp - binding values to tasks, and where they are seen. Children: tests/scope.
// SPDX-License-Identifier: MIT
#include <taskscope/deadline.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/parallel.hpp>
#include <taskscope/run_blocking.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/task_local.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using taskscope::executor;
using taskscope::fork_join;
using taskscope::manual_executor;
using taskscope::misuse_error;
using taskscope::task;
using taskscope::task_local;
using taskscope::with_local;
using taskscope::yield;

using TaskLocal = support::ledger;

const task_local<int> number;
const task_local<std::string> user;

task<int> read() {
    co_await yield();
    co_return number.get_or(-1);
}

TEST_F(TaskLocal, IsBoundForATaskAndNotAroundIt) {
    manual_executor ex;
    const auto body = []() -> task<> {
        EXPECT_EQ(number.find(), nullptr);
        EXPECT_EQ(co_await with_local(number, 7, read()), 7);
        EXPECT_EQ(number.find(), nullptr);
        EXPECT_EQ(co_await read(), -1);
    };
    ex.run(body());
}

TEST_F(TaskLocal, TheInnermostBindingCountsAndOthersAreSeenThroughIt) {
    manual_executor ex;
    const auto inner = []() -> task<std::string> {
        co_await yield();
        co_return user.get() + std::to_string(number.get());
    };
    const auto outer = [&]() -> task<std::string> {
        const std::string before = co_await inner();
        const std::string within = co_await with_local(number, 8, inner());
        const std::string after = co_await inner();
        co_return before + ' ' + within + ' ' + after;
    };
    const std::string all = ex.run(with_local(number, 7, with_local(user, "ann", outer())));
    EXPECT_EQ(all, "ann7 ann8 ann7");
}

TEST_F(TaskLocal, WhereItIsNotBoundSaysSo) {
    EXPECT_EQ(number.find(), nullptr);
    EXPECT_EQ(number.get_or(3), 3);
    try {
        static_cast<void>(number.get());
        ADD_FAILURE() << "nobody bound it";
    } catch (const misuse_error& e) {
        EXPECT_STREQ(e.what(),
                     "taskscope: a task_local was read where it is not bound. Run the task by "
                     "with_local(), or ask find() or get_or()");
    }
}

TEST_F(TaskLocal, PassesValuesErrorsAndStops) {
    manual_executor ex;
    const auto seven = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
    EXPECT_EQ(*ex.run(with_local(number, 1, seven())), 7);
    const auto fails = []() -> task<> {
        co_await yield();
        throw std::out_of_range("far");
    };
    EXPECT_THROW(ex.run(with_local(number, 1, fails())), std::out_of_range);
    const auto stops = []() -> task<> { co_await taskscope::just_stopped(); };
    const auto body = [&]() -> task<bool> {
        co_return co_await taskscope::stopped_as_optional(with_local(number, 1, stops()));
    };
    EXPECT_FALSE(ex.run(body()));
}

TEST_F(TaskLocal, AValueDiesWithItsTask) {
    manual_executor ex;
    const task_local<std::shared_ptr<int>> shared;
    const auto value = std::make_shared<int>(7);
    const auto look = [&]() -> task<> {
        EXPECT_EQ(value.use_count(), 2);
        co_await yield();
        EXPECT_EQ(shared.get(), value);
    };
    const auto body = [&]() -> task<> {
        auto t = with_local(shared, value, look());
        co_await std::move(t);
        EXPECT_EQ(value.use_count(), 1);
    };
    ex.run(body());
    {
        auto never_run = with_local(shared, value, look());
    }
    EXPECT_EQ(value.use_count(), 1);
}

TEST_F(TaskLocal, GoesIntoBranchesBlockingCallsAndContextsOfTheirOwn) {
    manual_executor ex;
    const auto body = []() -> task<> {
        const auto [a, b] = co_await fork_join(read(), with_local(number, 2, read()));
        EXPECT_EQ(a, 1);
        EXPECT_EQ(b, 2);
        const int blocking = co_await taskscope::run_blocking([] { return number.get(); });
        EXPECT_EQ(blocking, 1);
        taskscope::stop_source source;
        EXPECT_EQ(co_await taskscope::stop_when(source.token(), read()), 1);
        taskscope::deadline limit(std::chrono::steady_clock::time_point::max());
        auto end = co_await taskscope::settle_by(limit, read());
        EXPECT_EQ(std::move(end).take(), 1);
        co_await taskscope::sleep_for(1ms);
        EXPECT_EQ(number.get(), 1);
    };
    ex.run(with_local(number, 1, body()));
}

TEST_F(TaskLocal, AMillionBindingsDeepNeedsNoStack) {
    manual_executor ex;
    struct nest {
        static task<int> down(int depth) {
            if (depth == 0) {
                const int found = number.get_or(-1);
                co_return found;
            }
            co_return co_await with_local(user, "x", down(depth - 1));
        }
    };
    EXPECT_EQ(ex.run(with_local(number, 7, nest::down(100'000))), 7);
}

class TaskLocalOn : public support::ledger, public testing::WithParamInterface<unsigned> {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(Workers, TaskLocalOn, testing::Values(1, 2, 8));

TEST_P(TaskLocalOn, StaysWithItsTaskOnWhateverThread) {
    std::atomic<int> wrong{0};
    const auto one = [&](int mine) -> task<> {
        for (int i = 0; i < 50; ++i) {
            if (number.get_or(-1) != mine) wrong.fetch_add(1);
            co_await yield();
        }
        const auto blocking = [&] { return number.get_or(-1); };
        if (co_await taskscope::run_blocking(blocking) != mine) wrong.fetch_add(1);
        co_await taskscope::sleep_for(1us);
        if (number.get_or(-1) != mine) wrong.fetch_add(1);
    };
    const auto body = [&]() -> task<> {
        std::vector<task<>> all;
        for (int i = 0; i < 100; ++i) all.push_back(with_local(number, i, one(i)));
        co_await fork_join(std::move(all));
    };
    ex.run(body());
    EXPECT_EQ(wrong.load(), 0);
}

TEST_P(TaskLocalOn, IsSeenByStolenPartsOfParallelAlgorithms) {
    std::atomic<int> sum{0};
    const auto body = [&]() -> task<> {
        taskscope::parallel_for(0, 1000, [&](int) {
            sum.fetch_add(number.get_or(1'000'000), std::memory_order_relaxed);
        });
        co_return;
    };
    ex.run(with_local(number, 2, body()));
    EXPECT_EQ(sum.load(), 2000);
}

}  // namespace
