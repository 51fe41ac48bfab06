// tests/stress/stop_storm.cpp - a million suspended children, ten thousand nested scopes: all stopped at once.
// SPDX-License-Identifier: MIT
#include "stress.hpp"

#include <taskscope/taskscope.hpp>

#include <gtest/gtest.h>

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <thread>

namespace taskscope::test {
namespace {

class stop_storm : public testing::TestWithParam<unsigned> {};

INSTANTIATE_TEST_SUITE_P(workers, stop_storm, testing::Values(1, 2, 8));

std::atomic<std::int64_t> arrived{0};  // not in the frames, whose size is measured

task<> wait_for(async_event& e) {
    arrived.fetch_add(1, std::memory_order_relaxed);
    co_await e.wait();
}
task<> sleep_long() {
    arrived.fetch_add(1, std::memory_order_relaxed);
    co_await sleep_for(std::chrono::hours(1));
}

// Spawns `n` children by `make` from a worker, and lets all of them suspend.
template <class Make>
void suspend_children(executor& ex, task_scope& s, std::int64_t n, Make make) {
    arrived = 0;
    ex.run([](task_scope& scope, std::int64_t count, Make& child) -> task<> {
        for (std::int64_t i = 0; i < count; ++i) {
            scope.spawn(child());
            if (i % 256 == 0) co_await yield();
        }
    }(s, n, make));
    // Each has run to its suspension when all have come there and every worker has gone to sleep.
    while (arrived != n || ex.statistics().sleeping != ex.workers()) std::this_thread::yield();
}

template <class Make>
void stop_a_million(unsigned workers, const char* what, Make make, double most_bytes) {
    const std::int64_t n = scaled(1'000'000, 1000);
    const std::int64_t frames_before = frames().live;
    {
        executor ex{{.workers = workers}};
        task_scope s{ex, {.name = "storm"}};
        malloc_trim(0);  // so that what earlier tests freed does not count for us
        const std::int64_t before = resident_bytes();
        suspend_children(ex, s, n, make);
        const double bytes =
            static_cast<double>(resident_bytes() - before) / static_cast<double>(n);
        EXPECT_EQ(s.counts().live, static_cast<std::uint64_t>(n));
        const stopwatch watch;
        s.request_stop();
        const double requested = watch.seconds();
        s.blocking_join();
        const double joined = watch.seconds();
        EXPECT_EQ(s.counts().stopped, static_cast<std::uint64_t>(n));
        std::printf(
            "[ figure   ] %u workers: %lld children, each %s: %.0f bytes each; request_stop() "
            "%.3f s, joined after %.3f s\n",
            workers, static_cast<long long>(n), what, bytes, requested, joined);
        if (figures_hold && n >= 100'000) {
            EXPECT_LT(joined, 1.0);
            if (most_bytes > 0) {
                EXPECT_LE(bytes, most_bytes);
            }
        }
    }
    EXPECT_EQ(frames().live, frames_before);
}

// cases: T412, H10
TEST_P(stop_storm, a_million_children_suspended_on_an_event_are_stopped_and_joined_in_a_second) {
    async_event never;
    stop_a_million(GetParam(), "waiting for an event", [&] { return wait_for(never); }, 250);
}

TEST_P(stop_storm, a_million_sleeping_children_are_stopped_and_joined_in_a_second) {
    stop_a_million(GetParam(), "sleeping", [] { return sleep_long(); }, 0);
}

// Where on the stack the nested bodies were destroyed. One after the other: each scope waits for the one in it.
std::uintptr_t lowest = 0;
std::uintptr_t highest = 0;

// A scope inside a scope inside a scope; innermost a child that waits.
struct nest {
    task<> operator()(task_scope&) const {
        const guard g{ended};
        const nest next{depth - 1, event, ended, bottom};
        if (depth == 0) {
            bottom->set();
            co_await event->wait();
        } else {
            co_await with_scope("n", next);
        }
    }
    struct guard {
        explicit guard(std::int64_t* n) : count(n) {}
        ~guard() {
            ++*count;
            const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
            lowest = std::min(lowest, here);
            highest = std::max(highest, here);
        }
        guard(const guard&) = delete;
        guard& operator=(const guard&) = delete;
        std::int64_t* count;
    };
    std::int64_t depth;
    async_event* event;
    std::int64_t* ended;
    async_event* bottom;
};

// cases: T412, H10
TEST_P(stop_storm, ten_thousand_nested_scopes_are_stopped_from_the_top_on_a_small_stack) {
    // 8 MB is what a thread has; ten thousand levels of recursion with a kilobyte each would not fit.
    const std::int64_t depth = scaled(10'000, 100);
    const std::int64_t frames_before = frames().live;
    {
        async_event never;
        async_event bottom;
        std::int64_t ended = 0;
        lowest = UINTPTR_MAX;
        highest = 0;
        executor ex{{.workers = GetParam()}};
        task_scope top{ex, {.name = "top"}};
        const nest first{depth, &never, &ended, &bottom};
        top.spawn([&first]() -> task<> { co_await with_scope("n", first); });
        bottom.blocking_wait(ex);
        // From a thread with a small stack: the walk down the tree happens on the requester's.
        pthread_attr_t small;
        pthread_attr_init(&small);
        pthread_attr_setstacksize(&small, 64 * 1024);
        pthread_t requester{};
        const stopwatch watch;
        ASSERT_EQ(pthread_create(
                      &requester, &small,
                      [](void* scope) -> void* {
                          static_cast<task_scope*>(scope)->request_stop();
                          return nullptr;
                      },
                      &top),
                  0);
        pthread_join(requester, nullptr);
        pthread_attr_destroy(&small);
        const double requested = watch.seconds();
        top.blocking_join();
        std::printf(
            "[ figure   ] %u workers: %lld nested scopes: request_stop() %.4f s on a stack of "
            "64 kB, joined after %.4f s\n",
            GetParam(), static_cast<long long>(depth), requested, watch.seconds());
        EXPECT_EQ(ended, depth + 1);
        if (GetParam() == 1) {
            std::printf("[ figure   ] destroyed within %llu bytes of the worker's stack\n",
                        static_cast<unsigned long long>(highest - lowest));
            EXPECT_LT(highest - lowest, 256U * 1024);
        }
        EXPECT_EQ(top.counts().stopped, 1U);
    }
    EXPECT_EQ(frames().live, frames_before);
}

// cases: T400
TEST_P(stop_storm, stops_against_spawns_and_completions_lose_nobody) {
    const std::int64_t rounds = scaled(2000, 20);
    executor ex{{.workers = GetParam()}};
    for (std::int64_t round = 0; round < rounds; ++round) {
        task_scope s{ex};
        std::atomic<std::int64_t> ran{0};
        std::thread spawner([&] {
            for (int i = 0; i < 200; ++i) {
                s.spawn([&ran]() -> task<> {
                    ran.fetch_add(1, std::memory_order_relaxed);
                    co_await yield();
                });
            }
        });
        s.request_stop();
        spawner.join();
        s.blocking_join();
        ASSERT_EQ(s.counts().spawned, 200U);
        ASSERT_LE(s.counts().stopped, 200U);
        ASSERT_GE(static_cast<std::uint64_t>(ran.load()) + s.counts().stopped, 200U);
    }
}

}  // namespace
}  // namespace taskscope::test
