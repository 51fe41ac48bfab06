// tests/stress/failing_storm.cpp - a scope all of whose children fail, for as long as others live for months.
// SPDX-License-Identifier: MIT
#include "stress.hpp"

#include <taskscope/taskscope.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

namespace taskscope::test {
namespace {

class failing_storm : public testing::TestWithParam<unsigned> {};

INSTANTIATE_TEST_SUITE_P(workers, failing_storm, testing::Values(1, 2, 8));

task<> fail(std::int64_t n) {
    throw std::runtime_error(std::to_string(n));
    co_return;
}

std::int64_t number_of(const recorded_error& e) {
    try {
        std::rethrow_exception(e.error);
    } catch (const std::runtime_error& error) {
        return std::stoll(error.what());
    }
}

constexpr std::int64_t batch = 64;

// Spawns `n` of them, a batch at a time.
task<> spawn_failing(task_scope& s, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
        s.spawn(fail(i));
        if (i % batch == 0) co_await yield();
    }
}

TEST_P(failing_storm, of_ten_million_children_leaves_a_flag_counts_and_the_last_errors) {
    const std::int64_t n = scaled(10'000'000, 1000);
    constexpr std::size_t most = 16;
    executor ex{{.workers = GetParam()}};
    const last_errors kept(most);
    task_scope s{ex, {.name = "storm", .policy = stack(kept, ignore_errors)}};
    ex.run(spawn_failing(s, n / 10));  // a warm-up
    const std::int64_t allocated = allocated_bytes();
    const std::int64_t resident = resident_bytes();
    const stopwatch clock;
    ex.run(spawn_failing(s, n - n / 10));
    while (s.counts().live != 0) std::this_thread::yield();
    const double took = clock.seconds();
    const double grown = static_cast<double>(allocated_bytes() - allocated) / 1e6;
    std::printf(
        "%lld failing children, %u workers: %.1f s, %+.2f MB allocated, %+.2f MB resident\n",
        static_cast<long long>(n), GetParam(), took, grown,
        static_cast<double>(resident_bytes() - resident) / 1e6);
    EXPECT_TRUE(s.has_errors());
    EXPECT_EQ(s.counts().failed, static_cast<std::uint64_t>(n));
    EXPECT_EQ(kept.errors().size(), most);
    EXPECT_EQ(kept.dropped(), static_cast<std::uint64_t>(n) - most);
    std::set<std::int64_t> numbers;
    for (const recorded_error& e : kept.errors()) numbers.insert(number_of(e));
    EXPECT_EQ(numbers.size(), most);
    // One worker runs a batch before the next is spawned; several may keep an old one for long.
    if (GetParam() == 1) {
        EXPECT_GE(*numbers.begin(), n - n / 10 - batch);
    }
    EXPECT_LT(grown, 1.0);
    s.blocking_join();
}

}  // namespace
}  // namespace taskscope::test
