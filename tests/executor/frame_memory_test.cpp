// tests/executor/frame_memory_test.cpp - blocks of frames: their sizes, their recycling, and the count.
// SPDX-License-Identifier: MIT
//
// How much memory is kept, and that none is asked for, is in memory_failure_test.cpp, which counts.
#include <taskscope/detail/frame_memory.hpp>
#include <taskscope/detail/frame_meter.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/run_blocking.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <thread>
#include <vector>

namespace {

using taskscope::executor;
using taskscope::frame_statistics;
using taskscope::frames;
using taskscope::manual_executor;
using taskscope::task;
using taskscope::detail::allocate_frame;
using taskscope::detail::frame_cache;
using taskscope::detail::frame_class;
using taskscope::detail::free_frame;

using FrameMemory = support::ledger;

bool recycles() {
    frame_cache cache;
    cache.free(cache.allocate(64), 64);
    const std::int64_t kept = frames().kept;
    return kept != 0;
}

TEST_F(FrameMemory, HasBlocksThatFit) {
    for (std::size_t bytes = 1; bytes <= 5'000; ++bytes) {
        const std::size_t block = frame_class::bytes(frame_class::of(bytes));
        EXPECT_GE(block, bytes);
        EXPECT_LT(block, bytes + 16) << "wastes more than a class";
    }
}

TEST_F(FrameMemory, GivesABlockOfTheSameSizeClassAgain) {
    if (!recycles()) GTEST_SKIP() << "frames are not recycled in this build";
    frame_cache cache;
    void* const small = cache.allocate(100);
    void* const large = cache.allocate(200);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(small) % 16, 0U);
    cache.free(small, 100);
    cache.free(large, 200);
    EXPECT_EQ(cache.allocate(200), large);
    EXPECT_EQ(cache.allocate(99), small);
    cache.free(small, 99);
    cache.free(large, 200);
}

TEST_F(FrameMemory, GivesEachBlockToOneOwner) {
    frame_cache cache;
    for (const std::size_t bytes : {8U, 24U, 100U, 1'000U, 1'024U, 1'025U, 5'000U}) {
        std::vector<unsigned char*> blocks;
        for (int round = 0; round < 2; ++round) {  // fresh ones, then those kept
            for (unsigned char i = 0; i < 250; ++i) {
                blocks.push_back(static_cast<unsigned char*>(cache.allocate(bytes)));
                std::memset(blocks.back(), i, bytes);
            }
            for (unsigned char i = 0; i < 250; ++i) {
                EXPECT_EQ(blocks[i][0], i);
                EXPECT_EQ(blocks[i][bytes - 1], i);
                cache.free(blocks[i], bytes);
            }
            blocks.clear();
        }
    }
}

TEST_F(FrameMemory, OfOneCacheMayBeFreedInAnother) {
    const frame_statistics before = frames();
    {
        frame_cache one;
        frame_cache other;
        std::vector<void*> blocks;
        for (int i = 0; i < 100; ++i) blocks.push_back(one.allocate(64));
        EXPECT_EQ(frames().live, before.live + 100);
        for (void* b : blocks) other.free(b, 64);
        EXPECT_EQ(frames().live, before.live);
    }
    EXPECT_EQ(frames().live, before.live) << "caches that are gone still count";
    EXPECT_EQ(frames().kept, before.kept) << "a cache takes blocks with it";
}

// One thread makes, the other frees: blocks must find their way back, or memory grows without end.
TEST_F(FrameMemory, ThatIsFreedElsewhereComesBack) {
    if (!recycles()) GTEST_SKIP() << "frames are not recycled in this build";
    frame_cache makes;
    frame_cache frees;
    std::size_t reserved = 0;
    for (int round = 0; round < 100; ++round) {
        std::vector<void*> blocks;
        for (int i = 0; i < 1'000; ++i) blocks.push_back(makes.allocate(300));
        for (void* b : blocks) frees.free(b, 300);
        if (round == 1) reserved = frames().reserved;
    }
    EXPECT_LE(frames().reserved, reserved);
}

TEST_F(FrameMemory, IsRecycledByEachThreadAlone) {
    const frame_statistics before = frames();
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([t] {
            for (int round = 0; round < 200; ++round) {
                std::vector<unsigned char*> mine;
                for (int i = 0; i < 150; ++i) {
                    mine.push_back(static_cast<unsigned char*>(allocate_frame(400)));
                    std::memset(mine.back(), t, 400);
                }
                for (unsigned char* b : mine) {
                    ASSERT_EQ(b[0], t);
                    ASSERT_EQ(b[399], t);
                    free_frame(b, 400);
                }
            }
        });
    }
    threads.clear();
    EXPECT_EQ(frames().live, before.live);
    EXPECT_EQ(frames().kept, before.kept) << "threads that have ended keep nothing";
}

TEST_F(FrameMemory, IsCountedWhileTasksLive) {
    const frame_statistics before = frames();
    // In a vector, so that no compiler makes a frame a local variable.
    std::vector<task<int>> tasks;
    auto number = [](int n) -> task<int> { co_return n; };
    for (int i = 0; i < 10; ++i) tasks.push_back(number(i));
    EXPECT_EQ(frames().live, before.live + 10);
    tasks.clear();
    EXPECT_EQ(frames().live, before.live);
}

// cases: T365
TEST_F(FrameMemory, OfTasksMadeOutsideIsFreedOnWorkersAndTheOtherWayRound) {
    const std::int64_t before = frames().live;
    {
        executor ex{{.workers = 2}};
        auto number = [](int n) -> task<int> { co_return n; };
        std::vector<task<int>> outside;
        for (int i = 0; i < 1'000; ++i) outside.push_back(number(i));
        auto runs = [&]() -> task<> { co_await taskscope::fork_join(std::move(outside)); };
        ex.run(runs());
        auto makes = [&]() -> task<std::vector<task<int>>> {
            std::vector<task<int>> made;
            for (int i = 0; i < 1'000; ++i) made.push_back(number(i));
            co_return made;
        };
        const std::vector<task<int>> inside = ex.run(makes());
        EXPECT_GE(frames().live, before + 1'000);
    }
    EXPECT_EQ(frames().live, before);
}

TEST_F(FrameMemory, MovesWithTasksThatEndOnOtherWorkers) {
    const std::int64_t before = frames().live;
    executor ex{{.workers = 4}};
    auto leaf = [](int n) -> task<int> {
        co_await taskscope::yield();
        if (n % 16 == 0) co_await taskscope::run_blocking([] {});
        co_return n;
    };
    for (int round = 0; round < 5; ++round) {
        ex.run(taskscope::fork_join(std::views::iota(0, 1'000) | std::views::transform(leaf)));
        // The last frame of run()'s task is freed by us, after run() has returned.
        EXPECT_EQ(frames().live, before);
    }
}

TEST_F(FrameMemory, MayOutliveItsExecutor) {
    const std::int64_t before = frames().live;
    std::optional<executor> ex(std::in_place, taskscope::executor_options{.workers = 1});
    auto number = [](int n) -> task<int> { co_return n; };
    auto makes = [&]() -> task<task<int>> { co_return number(3); };
    std::optional<task<int>> kept(ex->run(makes()));
    ex.reset();
    EXPECT_EQ(frames().live, before + 1);
    {
        manual_executor other;
        EXPECT_EQ(other.run(std::move(*kept)), 3);
    }
    kept.reset();
    EXPECT_EQ(frames().live, before);
}

// A meter is what admission counts bytes with.
TEST_F(FrameMemory, AMeterCountsWhatThisThreadTakesMeanwhile) {
    using taskscope::detail::frame_meter;
    std::size_t outer = 0;
    std::size_t inner = 0;
    void* kept = nullptr;
    {
        const frame_meter all(outer);
        free_frame(allocate_frame(100), 100);
        {
            const frame_meter some(inner);
            kept = allocate_frame(40);
            free_frame(allocate_frame(5000), 5000);
        }
        std::thread other([] { free_frame(allocate_frame(64), 64); });
        other.join();
        free_frame(allocate_frame(16), 16);
    }
    EXPECT_EQ(outer, 112U + 16U);
    EXPECT_EQ(inner, 48U + 5008U);
    free_frame(kept, 40);
    free_frame(allocate_frame(100), 100);
    EXPECT_EQ(outer, 128U);
}

// Then the thread's cache ends, and no destructor of a meter is called.
TEST_F(FrameMemory, AMeterThatExitLeavesLetsGoOfTheCache) {
    const auto exits = [] {
        std::size_t bytes = 0;
        const taskscope::detail::frame_meter meter(bytes);
        free_frame(allocate_frame(64), 64);
        std::atexit([] {  // called when thread_local objects are gone
            const std::int64_t before = frames().live;
            static_cast<void>(allocate_frame(64));
            std::_Exit(frames().live == before + 1 ? 0 : 1);
        });
        std::exit(2);
    };
    EXPECT_EXIT(exits(), testing::ExitedWithCode(0), "");
}

}  // namespace
