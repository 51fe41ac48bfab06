// tests/executor/idle_test.cpp - an executor with nothing to do costs nothing.
// SPDX-License-Identifier: MIT
#include <taskscope/executor.hpp>
#include <taskscope/sleep.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <thread>

namespace {

using namespace std::chrono_literals;
using taskscope::executor;
using taskscope::task;

using Idle = support::ledger;

/// Processor time of all threads whose name begins with `prefix`. Not getrusage(): a sanitizer has a thread
/// of its own.
std::chrono::nanoseconds cpu_time_of(const std::string& prefix) {
    std::uint64_t total = 0;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::getline(std::ifstream(thread.path() / "comm"), name);
        if (!name.starts_with(prefix)) continue;
        std::uint64_t on_cpu = 0;
        std::ifstream(thread.path() / "schedstat") >> on_cpu;
        total += on_cpu;
    }
    return std::chrono::nanoseconds(total);
}

TEST_F(Idle, ExecutorWithEightWorkersUsesNoProcessorTime) {
    executor ex{{.workers = 8, .name = "idle"}};
    auto body = []() -> task<> { co_return; };
    ex.run(body());
    // A timer far away: one of them waits for it.
    auto sleeps = []() -> task<> { co_await taskscope::sleep_for(1h); };
    support::launched<void> sleeper(ex, sleeps());
    ASSERT_TRUE(support::until([&] { return ex.statistics().sleeping == 8; }));
    if (cpu_time_of("idle/") == 0ns) GTEST_SKIP() << "this kernel does not count";
    const auto before = cpu_time_of("idle/");
    std::this_thread::sleep_for(1s);  // not to wait for anything: this second is what is measured
    EXPECT_LT(cpu_time_of("idle/") - before, 5ms);
    EXPECT_EQ(ex.statistics().sleeping, 8U);
    sleeper.request_stop();
    ASSERT_TRUE(support::until([&] { return sleeper.ended(); }));
}

}  // namespace
