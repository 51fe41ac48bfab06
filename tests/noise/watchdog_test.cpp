// tests/noise/watchdog_test.cpp - a program that hangs is noticed, and what is known of it is told.
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/task_scope.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <support/watchdog.hpp>
namespace noise {
namespace {

using namespace std::chrono_literals;
using support::watchdog;
using testing::AllOf;
using testing::ContainsRegex;

void hang() {
    watchdog dog("a program", 200ms);
    taskscope::executor ex{{.workers = 2, .name = "lost"}};
    dog.look_at(&ex);
    taskscope::async_event never;
    taskscope::task_scope s{ex, {.name = "waits-for-ever"}};
    s.spawn([&]() -> taskscope::task<> { co_await never.wait(); });
    s.blocking_join();
}

TEST(WatchdogDeathTest, TellsTheStateOfAllThreadsOfAProgramThatHangs) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(hang(), testing::KilledBySignal(SIGABRT),
                AllOf(ContainsRegex("a program: no progress for 200 ms"),
                      ContainsRegex("lost/0 .*system call 202 0x"), ContainsRegex("lost/1"),
                      ContainsRegex("2 workers, 2 sleeping"), ContainsRegex("waits-for-ever")));
}

}  // namespace
}  // namespace noise
