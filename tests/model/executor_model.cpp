// tests/model/executor_model.cpp - whole executors: no job is forgotten while workers fall asleep and end.
// SPDX-License-Identifier: MIT
#include "executor_core.hpp"

#include <gtest/gtest.h>

#include <model/support/machine.hpp>

namespace {

using taskscope::executor;
using taskscope::task;
using taskscope::detail::executor_access;
using taskscope::detail::executor_core;
using taskscope::detail::function_job;
using taskscope::detail::futex_wait;
using taskscope::detail::futex_wake_one;

/// A job that somebody waits for.
struct awaited_job : function_job {
    awaited_job() : function_job(&awaited_job::run) {}

    static void run(function_job& j) noexcept {
        auto& self = static_cast<awaited_job&>(j);
        ++self.ran;
        auto* bell = &self.done;
        bell->store(1, std::memory_order_release);
        futex_wake_one(bell);
    }
    void wait() {
        while (done.load(std::memory_order_acquire) == 0) futex_wait(done, 0);
        model::check(ran == 1, "a job runs once");
    }

    int ran = 0;
    taskscope::detail::atomic<std::uint32_t> done{0};
};

/// The smallest: one worker that falls asleep at once.
taskscope::executor_options small() {
    return {.workers = 1, .name = "e", .spins = 0, .blocking_threads = 1};
}

TEST(ExecutorModel, RunsAnInjectedJobAndEnds) {
    model::expect_holds_with_both_barriers([] {
        awaited_job j;
        executor ex(small());
        executor_access::core(ex).inject(j);
        j.wait();
    });
}

task<int> answer(int& data) {
    ++data;
    co_return 42;
}

TEST(ExecutorModel, RunGivesTheResultAndTheThreadMayGo) {
    model::expect_holds([] {
        executor ex(small());
        int data = 0;
        model::check(ex.run(answer(data)) == 42, "the value");
        model::check(data == 1, "what the task did");
    });
}

TEST(ExecutorModel, AnExecutorThatWasNeverUsedEnds) {
    model::expect_holds_with_both_barriers([] { executor ex(small()); });
}

}  // namespace
