// tests/model/executor_model.cpp - whole executors: no job is forgotten while workers fall asleep and end.
// SPDX-License-Identifier: MIT
#include "executor_core.hpp"

#include <gtest/gtest.h>

#include <model/checker/model.hpp>
#include <thread>

namespace {

using taskscope::executor;
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

TEST(ExecutorModel, ARunsAnInjectedJobAndEnds) {
    for (const bool membarrier : {false, true}) {
        model::options o = model::from_environment();
        o.membarrier = membarrier;
        model::expect_holds(
            [] {
                awaited_job j;
                executor ex({.workers = 1, .name = "e", .spins = 0, .blocking_threads = 1});
                executor_access::core(ex).inject(j);
                j.wait();
            },
            o);
    }
}

TEST(ExecutorModel, BRunsAnInjectedJobAndEnds) {
    for (const bool membarrier : {false, true}) {
        model::options o = model::from_environment();
        o.membarrier = membarrier;
        model::expect_holds(
            [] {
                awaited_job j;
                executor ex({.workers = 2, .name = "e", .spins = 0, .blocking_threads = 1});
                executor_access::core(ex).inject(j);
                j.wait();
            },
            o);
    }
}

}  // namespace
