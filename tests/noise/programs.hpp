// tests/noise/programs.hpp - what the programs of the noise build run on: an executor for each of 18 settings.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/executor.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <noise/point.hpp>
#include <optional>
#include <string>
#include <support/ledger.hpp>
#include <support/processors.hpp>
#include <support/watchdog.hpp>
#include <thread>
#include <tuple>

namespace noise {

using setting = std::tuple<unsigned, unsigned, bool>;  // workers, spins, one processor only

inline constexpr unsigned maximal = std::numeric_limits<unsigned>::max();

inline std::string name_of(const testing::TestParamInfo<setting>& one) {
    const auto [workers, spins, alone] = one.param;
    const std::string spinning = spins == 0         ? "no_spins"
                                 : spins == maximal ? "endless_spins"
                                                    : "spins";
    return std::to_string(workers) + "_workers_" + spinning + (alone ? "_one_processor" : "");
}

/// A program does the same again and again, each time with other delays.
class program : public support::ledger, public testing::WithParamInterface<setting> {
protected:
    program() {
        reseed(name_);
        const auto [workers, spins, alone] = GetParam();
        options_ = {.workers = workers, .name = "noise", .spins = spins, .blocking_threads = 2};
        if (alone) alone_.emplace(support::processors::first);
        make_executor();
    }
    void TearDown() override {
        end_executor();  // what children let go of after they were joined is gone then
        ledger::TearDown();
    }

    static unsigned workers() { return std::get<0>(GetParam()); }
    /// Whether a worker ever sleeps although nobody else does.
    static bool all_sleep() { return std::get<1>(GetParam()) != maximal; }

    void make_executor() {
        ex.emplace(options_);
        dog.look_at(&*ex);
    }
    void end_executor() {
        dog.look_at(nullptr);
        ex.reset();
        dog.progress();
    }

    /// Once, and then for TASKSCOPE_NOISE_MILLISECONDS (0) of them.
    bool again() {
        dog.progress();
        if (rounds_++ == 0) return true;
        static const std::chrono::milliseconds limit = [] {
            const char* text = std::getenv("TASKSCOPE_NOISE_MILLISECONDS");
            return std::chrono::milliseconds(text != nullptr ? std::strtol(text, nullptr, 10) : 0);
        }();
        return !HasFailure() && std::chrono::steady_clock::now() - start_ < limit;
    }

private:
    const testing::TestInfo& info_ = *testing::UnitTest::GetInstance()->current_test_info();
    const std::string name_ = std::string(info_.test_suite_name()) + '.' + info_.name();

protected:
    support::watchdog dog{name_ + ", TASKSCOPE_NOISE_SEED=" + std::to_string(seed())};
    std::optional<taskscope::executor> ex;  // a program may end it earlier

private:
    std::optional<support::stay_on> alone_;
    taskscope::executor_options options_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    int rounds_ = 0;
};

/// One in which no timer is armed: then a wait on a futex has no limit, and only a wake-up can end it.
class program_without_timers : public program {
protected:
    void TearDown() override {
        program::TearDown();
        EXPECT_EQ(time_outs(), time_outs_before_) << "a wait has ended for no other reason";
    }

private:
    const std::uint64_t time_outs_before_ = time_outs();
};

inline const auto all_settings = testing::Combine(
    testing::Values(1U, 2U, 8U), testing::Values(0U, 64U, maximal), testing::Bool());

}  // namespace noise
