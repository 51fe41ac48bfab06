// tests/stress/spawn_join_storm.cpp - ten million children, a million scopes: memory stays flat.
// SPDX-License-Identifier: MIT
#include "stress.hpp"

#include <taskscope/taskscope.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <stdexcept>

namespace taskscope::test {
namespace {

struct figures {
    std::int64_t live_frames = 0;
    std::int64_t allocated = 0;
    std::int64_t resident = 0;

    static figures now() { return {frames().live, allocated_bytes(), resident_bytes()}; }
};

/// Takes figures while something goes on and keeps the first, after warm-up, and the largest.
class high_water {
public:
    // Each worker keeps up to 1 MiB of free blocks, and may come to have them late.
    explicit high_water(unsigned workers) : slack_((1 + std::int64_t{workers}) << 20) {}

    void look() {
        const figures f = figures::now();
        if (!warm_) {
            first_ = largest_ = f;
            warm_ = true;
        }
        largest_.live_frames = std::max(largest_.live_frames, f.live_frames);
        largest_.allocated = std::max(largest_.allocated, f.allocated);
        largest_.resident = std::max(largest_.resident, f.resident);
    }
    void expect_flat(const char* what) const {
        std::printf(
            "[ figure   ] %s: after warm-up %lld frames, %.2f MB allocated, %.2f MB resident; "
            "at most %+lld frames, %+.3f MB, %+.3f MB\n",
            what, static_cast<long long>(first_.live_frames),
            static_cast<double>(first_.allocated) / 1e6, static_cast<double>(first_.resident) / 1e6,
            static_cast<long long>(largest_.live_frames - first_.live_frames),
            static_cast<double>(largest_.allocated - first_.allocated) / 1e6,
            static_cast<double>(largest_.resident - first_.resident) / 1e6);
        // The record behind a handle may be on its way out on another worker.
        EXPECT_LE(largest_.live_frames, first_.live_frames + 16);
        if (figures_hold) {
            EXPECT_LE(largest_.allocated, first_.allocated + slack_);
            EXPECT_LE(largest_.resident, first_.resident + slack_ + (4 << 20));
        }
    }

private:
    std::int64_t slack_;
    bool warm_ = false;
    figures first_;
    figures largest_;
};

class spawn_join_storm : public testing::TestWithParam<unsigned> {};

INSTANTIATE_TEST_SUITE_P(workers, spawn_join_storm, testing::Values(1, 2, 8));

// cases: T360, T371
TEST_P(spawn_join_storm,
       ten_million_children_of_one_scope_one_in_a_hundred_failing_keep_memory_flat) {
    const std::int64_t total = scaled(10'000'000, 20'000);
    constexpr std::int64_t batch = 1000;
    const std::int64_t rounds = total / batch;
    std::atomic<std::int64_t> handled{0};
    executor ex{{.workers = GetParam()}};
    task_scope s{ex, {.name = "storm", .policy = [&](const error_context&) {
                          handled.fetch_add(1, std::memory_order_relaxed);
                      }}};
    high_water water(GetParam());
    const stopwatch watch;
    ex.run([](task_scope& scope, high_water& w, std::int64_t n) -> task<> {
        for (std::int64_t round = 0; round < n; ++round) {
            async_event all_done;
            std::atomic<std::int64_t> left{batch};
            for (std::int64_t i = 0; i < batch; ++i) {
                scope.spawn([&all_done, &left, i]() -> task<> {
                    if (left.fetch_sub(1) == 1) all_done.set();
                    if (i % 100 == 0) throw std::runtime_error("one in a hundred");
                    co_return;
                });
            }
            co_await all_done.wait();
            // The last children may be on their way out still.
            while (scope.counts().live != 0) co_await yield();
            if (round >= n / 10 && round % (n / 20) == 0) w.look();
        }
    }(s, water, rounds));
    const double seconds = watch.seconds();
    s.blocking_join();
    EXPECT_EQ(s.counts().spawned, static_cast<std::uint64_t>(rounds * batch));
    EXPECT_EQ(s.counts().failed, static_cast<std::uint64_t>(rounds * batch / 100));
    EXPECT_EQ(handled.load(), rounds * batch / 100);
    EXPECT_TRUE(s.has_errors());
    std::printf("[ figure   ] %u workers: %lld children, 1 %% failing, in %.2f s, %.0f ns each\n",
                GetParam(), static_cast<long long>(rounds * batch), seconds,
                seconds / static_cast<double>(rounds * batch) * 1e9);
    water.expect_flat("children");
}

TEST_P(spawn_join_storm, a_million_scopes_below_one_parent_keep_memory_flat) {
    const std::int64_t total = scaled(1'000'000, 2000);
    executor ex{{.workers = GetParam()}};
    task_scope parent{ex, {.name = "parent"}};
    high_water water(GetParam());
    std::atomic<std::int64_t> ran{0};
    const stopwatch watch;
    ex.run([](task_scope& above, high_water& w, std::atomic<std::int64_t>& count,
              std::int64_t n) -> task<> {
        for (std::int64_t i = 0; i < n; ++i) {
            auto opened = above.spawn_future([&count]() -> task<> {
                co_await with_scope("block", [&count](task_scope& s) -> task<> {
                    s.spawn([&count] { count.fetch_add(1, std::memory_order_relaxed); });
                    co_return;
                });
            });
            co_await std::move(opened);
            if (i >= n / 10 && i % (n / 20) == 0) {
                while (above.counts().live != 0) co_await yield();
                w.look();
            }
        }
    }(parent, water, ran, total));
    const double seconds = watch.seconds();
    EXPECT_EQ(ran.load(), total);
    parent.blocking_join();
    EXPECT_EQ(parent.counts().scopes, 0U);
    std::printf("[ figure   ] %u workers: %lld scopes opened and joined in %.2f s, %.0f ns each\n",
                GetParam(), static_cast<long long>(total), seconds,
                seconds / static_cast<double>(total) * 1e9);
    water.expect_flat("scopes");
}

TEST_P(spawn_join_storm, scope_objects_opened_and_joined_by_a_thread_keep_memory_flat) {
    const std::int64_t total = scaled(200'000, 2000);
    executor ex{{.workers = GetParam()}};
    task_scope parent{ex, {.name = "parent"}};
    high_water water(GetParam());
    std::int64_t ran = 0;
    for (std::int64_t i = 0; i < total; ++i) {
        task_scope s{parent, {.name = "object"}};
        s.spawn([&ran] { ++ran; });
        s.blocking_join();
        if (i >= total / 10 && i % (total / 20) == 0) water.look();
    }
    EXPECT_EQ(ran, total);
    parent.blocking_join();
    water.expect_flat("scope objects");
}

}  // namespace
}  // namespace taskscope::test
