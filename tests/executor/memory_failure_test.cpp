// tests/executor/memory_failure_test.cpp - when there is no more memory, and how much is used while there is.
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/detail/deque.hpp>
#include <taskscope/detail/frame_memory.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/stop_token.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <ranges>
#include <support/failing_memory.hpp>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/steal.hpp>
#include <support/until.hpp>
#include <vector>

namespace {

using namespace std::chrono_literals;
using support::allocations;
using support::bytes_in_use;
using support::failing_memory;
using support::launched;
using taskscope::async_event;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::stop_callback;
using taskscope::stop_source;
using taskscope::task;
using taskscope::detail::frame_cache;

using Memory = support::ledger;
using MemoryFailure = support::ledger;

// Not inline: nobody needs a frame for a task that is made and dropped, and clang notices.
[[gnu::noinline]] task<int> number(int n) { co_return n; }

// What is used

constexpr std::int64_t one_span = std::int64_t{1} << 22;  // with what malloc adds to align it

TEST_F(Memory, OfFramesIsGivenBackButForAFewBlocksOfASize) {
    constexpr std::size_t size = 990;
    const std::int64_t before = bytes_in_use();
    {
        frame_cache cache;
        std::vector<void*> blocks;
        blocks.reserve(5'000);
        const std::int64_t with_vector = bytes_in_use();
        for (int i = 0; i < 5'000; ++i) blocks.push_back(cache.allocate(size));
        EXPECT_GE(bytes_in_use() - with_vector, 5'000 * 990);
        for (void* b : blocks) cache.free(b, size);
        // What the cache keeps lies in two spans at most, and the depot keeps another.
        EXPECT_LE(bytes_in_use() - with_vector, 3 * one_span);
        const std::int64_t calls = allocations();
        for (std::size_t i = 0; i < 8; ++i) blocks[i] = cache.allocate(size);
        EXPECT_EQ(allocations(), calls) << "recycled blocks are free of charge";
        for (std::size_t i = 0; i < 8; ++i) cache.free(blocks[i], size);
        // Blocks beyond the largest class are not kept.
        const std::int64_t kept = bytes_in_use();
        void* const huge = cache.allocate(100'000);
        cache.free(huge, 100'000);
        EXPECT_EQ(bytes_in_use(), kept);
    }
    EXPECT_LE(bytes_in_use(), before + one_span);
}

// One frame in a hundred lives on, from another span each time.
TEST_F(Memory, OfFramesFollowsWhatIsInUse) {
    constexpr std::size_t size = 970;
    frame_cache cache;
    std::vector<void*> kept;
    for (int round = 0; round < 200; ++round) {
        std::vector<void*> passing;
        for (int i = 0; i < 1'000; ++i) passing.push_back(cache.allocate(size));
        for (std::size_t i = 0; i < passing.size(); ++i) {
            if (i == 500 && round % 10 == 0) {
                kept.push_back(passing[i]);
            } else {
                cache.free(passing[i], size);
            }
        }
    }
    // At worst each lies in a span of its own; 200 000 blocks have passed.
    EXPECT_LE(taskscope::frames().reserved, 30U * one_span);
    for (void* b : kept) cache.free(b, size);
}

TEST_F(Memory, OfAThreadWithoutStacksComesFromTheDepotBlockByBlock) {
    std::optional<frame_cache> cache;
    {
        const failing_memory fault(1);
        cache.emplace();
    }
    EXPECT_EQ(cache->room_for(4, 1), nullptr);
    const taskscope::frame_statistics before = taskscope::frames();
    std::vector<unsigned char*> blocks;
    for (unsigned char i = 0; i < 100; ++i) {
        blocks.push_back(static_cast<unsigned char*>(cache->allocate(64)));
        std::memset(blocks.back(), i, 64);
    }
    EXPECT_EQ(taskscope::frames().live, before.live + 100);
    for (unsigned char i = 0; i < 100; ++i) {
        EXPECT_EQ(blocks[i][0], i);
        EXPECT_EQ(blocks[i][63], i);
        cache->free(blocks[i], 64);
    }
    EXPECT_EQ(taskscope::frames().live, before.live);
    EXPECT_EQ(taskscope::frames().kept, before.kept);
}

TEST_F(Memory, OfANewSpanIsNotNeededWhereOthersHaveLeftBatches) {
    constexpr std::size_t size = 1'000;
    frame_cache others;
    std::vector<void*> blocks;
    blocks.reserve(10'000);
    blocks.push_back(others.allocate(size));
    EXPECT_THROW(
        {
            const failing_memory fault(1);
            for (;;) blocks.push_back(others.allocate(size));
        },
        std::bad_alloc)
        << "no span has any left";
    if (blocks.size() == 1) {
        others.free(blocks.back(), size);
        GTEST_SKIP() << "frames are not recycled in this build";
    }
    for (int i = 0; i < 200; ++i) {
        others.free(blocks.back(), size);
        blocks.pop_back();
    }
    const std::size_t reserved = taskscope::frames().reserved;
    std::optional<frame_cache> cache;
    {
        const failing_memory fault(1);
        cache.emplace();
        EXPECT_NO_THROW(blocks.push_back(cache->allocate(size)));
    }
    EXPECT_EQ(taskscope::frames().reserved, reserved);
    for (void* b : blocks) cache->free(b, size);
}

TEST_F(Memory, IsNotAskedForByWarmTasks) {
    manual_executor ex;
    auto body = [](int n) -> task<std::int64_t> {
        std::int64_t last = 0;
        for (int i = 0; i < n; ++i) {
            if (i == n / 2) last = allocations();
            const int a = co_await number(i);
            auto [b, c] = co_await taskscope::fork_join(number(a), number(a));
            co_await taskscope::yield();
            co_await taskscope::checkpoint();
            co_await taskscope::sleep_for(1us);
            if (b != c) co_return -1;
        }
        co_return allocations() - last;
    };
    EXPECT_EQ(ex.run(body(1'000)), 0);
}

TEST_F(Memory, IsNotAskedForByStopSourcesEventsAndTheirUsers) {
    const std::int64_t before = allocations();
    {
        stop_source root;
        stop_source child(root.token());
        int calls = 0;
        auto count = [&calls] { ++calls; };
        const stop_callback a(child.token(), count);
        root.request_stop();
        const stop_callback b(child.token(), count);
        async_event event;
        event.set();
    }
    EXPECT_EQ(allocations(), before);
}

TEST_F(Memory, OfAnExecutorIsAllGivenBack) {
    const auto use_one = [] {
        executor ex({.workers = 2});
        auto leaf = [](int n) -> task<int> {
            co_await taskscope::yield();
            co_return n;
        };
        ex.run(taskscope::fork_join(std::views::iota(0, 1'000) | std::views::transform(leaf)));
    };
    use_one();  // the depot keeps a span of each size
    const std::int64_t before = bytes_in_use();
    for (int i = 0; i < 5; ++i) use_one();
    EXPECT_LE(bytes_in_use(), before + one_span);
}

// What happens without. CMakeLists.txt has these run with TASKSCOPE_RECYCLE_FRAMES=0: every frame can fail.

TEST_F(MemoryFailure, ForAFrameIsThrownToTheCaller) {
    const failing_memory fault(1);
    EXPECT_THROW(static_cast<void>(number(1)), std::bad_alloc);
}

TEST_F(MemoryFailure, ForAFrameIsTheErrorOfTheTaskThatCalls) {
    manual_executor ex;
    auto body = []() -> task<bool> {
        bool caught = false;
        try {
            const failing_memory fault(1);
            co_await number(1);
        } catch (const std::bad_alloc&) {
            caught = true;
        }
        co_return caught;
    };
    EXPECT_TRUE(ex.run(body()));
}

TEST_F(MemoryFailure, AtAnyPointOfTheConstructorLeavesNothingBehind) {
    const auto threads = support::running_threads();
    int k = 1;
    for (bool made = false; !made; ++k) {
        const std::int64_t before = bytes_in_use();
        ASSERT_LT(k, 1'000);
        try {
            const failing_memory fault(k);
            executor ex({.workers = 3});
            made = true;
        } catch (const std::bad_alloc&) {
        }
        // A joined thread may still be listed for a moment.
        EXPECT_TRUE(support::until([&] { return support::running_threads() == threads; }))
            << "allocation " << k;
        EXPECT_EQ(bytes_in_use(), before) << "allocation " << k;
    }
    EXPECT_GT(k, 5) << "nothing has failed";
}

TEST_F(MemoryFailure, ForATimerIsTheErrorOfTheSleepWhichThenHasNotBegun) {
    manual_executor ex;
    async_event event;
    int caught = 0;
    auto body = [&]() -> task<> {
        try {
            const failing_memory fault(1);
            co_await taskscope::sleep_for(1s);
        } catch (const std::bad_alloc&) {
            ++caught;
        }
        try {
            const failing_memory fault(1);
            co_await event.wait_until(ex.now() + 1s);
        } catch (const std::bad_alloc&) {
            ++caught;
        }
        EXPECT_EQ(ex.statistics().timers, 0U);
        event.set();  // finds nobody
        co_await taskscope::sleep_for(1s);
    };
    ex.run(body());
    EXPECT_EQ(caught, 2);
}

TEST_F(MemoryFailure, ForALargerDequeLetsAPushFailAndLosesNoJob) {
    std::vector<std::unique_ptr<taskscope::detail::function_job>> jobs;
    for (int i = 0; i < 5; ++i) {
        jobs.push_back(std::make_unique<taskscope::detail::function_job>(
            [](taskscope::detail::function_job&) noexcept {}));
    }
    taskscope::detail::deque d(4);
    for (std::size_t i = 0; i < 4; ++i) ASSERT_TRUE(d.push(jobs[i].get()));
    {
        const failing_memory fault(1);
        EXPECT_FALSE(d.push(jobs[4].get()));
    }
    EXPECT_TRUE(d.push(jobs[4].get()));
    for (const auto& j : jobs) EXPECT_EQ(support::steal_one(d), j.get());
}

TEST_F(MemoryFailure, ForALargerDequeSendsTheJobsThroughTheInjectionQueue) {
    manual_executor ex;
    constexpr int n = 1'000;  // more than the first ring holds
    std::vector<task<>> tasks;
    support::tally runs(n);
    auto counts = [&](int i) -> task<> {
        runs.count(static_cast<std::size_t>(i));
        co_return;
    };
    async_event event;
    auto waits = [&](int i) -> task<> {
        co_await event.wait();
        co_await counts(i);
    };
    std::vector<std::unique_ptr<launched<void>>> all;
    for (int i = 0; i < n; ++i) all.push_back(std::make_unique<launched<void>>(ex, waits(i)));
    auto sets = [&]() -> task<> {
        const failing_memory fault(1);
        event.set();
        co_return;
    };
    ex.run_ready();
    const auto injected = ex.statistics().injected;
    launched<void> setter(ex, sets());
    ex.run_ready();
    EXPECT_TRUE(runs.exactly_once());
    EXPECT_GT(ex.statistics().injected, injected + 1) << "the deque grew after all";
}

TEST_F(MemoryFailure, AtAnyPointOfAForkJoinIsItsErrorAndLeavesNothingBehind) {
    auto body = [](std::int64_t k) -> task<bool> {
        bool caught = false;
        try {
            const failing_memory fault(k);
            auto few = std::views::iota(0, 4) | std::views::transform(number);
            // Its block is too large to be one of those that are kept.
            const auto values = co_await taskscope::fork_join<200>(few);
            EXPECT_EQ(values.size(), 4U);
            co_await taskscope::fork_join(std::views::iota(0, 40) | std::views::transform(number));
        } catch (const std::bad_alloc&) {
            caught = true;
        }
        co_return caught;
    };
    std::int64_t k = 1;
    for (bool failed = true; failed; ++k) {
        manual_executor fresh;
        const std::int64_t frames = taskscope::frames().live;
        failed = fresh.run(body(k));
        EXPECT_EQ(taskscope::frames().live, frames) << "allocation " << k;
        ASSERT_LT(k, 1'000);
    }
    EXPECT_GT(k, 5) << "nothing has failed";
}

}  // namespace
