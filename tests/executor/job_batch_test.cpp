// tests/executor/job_batch_test.cpp - more jobs than a deque has room for.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/current.hpp>
#include <taskscope/detail/job.hpp>
#include <taskscope/detail/worker.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/statistics.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <vector>

namespace {

using support::until;
using taskscope::executor;
using taskscope::detail::function_job;
using taskscope::detail::schedule;

struct JobBatch : support::ledger, testing::WithParamInterface<unsigned> {};
INSTANTIATE_TEST_SUITE_P(workers, JobBatch, testing::Values(1U, 2U, 8U),
                         [](const auto& one) { return std::to_string(one.param); });

struct counted_job : function_job {
    counted_job() : function_job(&counted_job::run) {}
    static void run(function_job& f) noexcept {
        auto& self = static_cast<counted_job&>(f);
        self.runs.fetch_add(1);
        self.done->fetch_add(1);
    }
    std::atomic<int> runs{0};
    std::atomic<std::size_t>* done = nullptr;
};

// cases: T432
TEST_P(JobBatch, OfJobsThatFindNoRoomIsRunOnceEach) {
    constexpr std::size_t n = 300'000;  // batches of batches among them
    std::atomic<std::size_t> done{0};
    std::vector<counted_job> jobs(n);
    for (counted_job& j : jobs) j.done = &done;
    struct maker : function_job {
        maker() : function_job(&maker::run) {}
        static void run(function_job& f) noexcept {
            auto& self = static_cast<maker&>(f);
            for (counted_job& j : *self.all) schedule(*self.home, j);
        }
        std::vector<counted_job>* all = nullptr;
        executor* home = nullptr;
    } m;
    executor ex{{.workers = GetParam()}};
    m.all = &jobs;
    m.home = &ex;
    schedule(ex, m);
    ASSERT_TRUE(until([&] { return done.load() == n; }));
    for (const counted_job& j : jobs) ASSERT_EQ(j.runs.load(), 1);
    EXPECT_TRUE(until([&] { return ex.statistics().jobs == n + 1; })) << "a batch is nobody's job";
    EXPECT_EQ(ex.statistics().injected, 1U) << "none but the maker";
}

}  // namespace
