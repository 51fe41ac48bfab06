// tests/model/parallel_model.cpp - functions that wait for a thief, and what they may do meanwhile.
// SPDX-License-Identifier: MIT
#include <taskscope/parallel.hpp>

#include <gtest/gtest.h>

#include <model/support/machine.hpp>
#include <support/steal.hpp>

namespace {

using model::core_access;
using model::machine;
using model::worker;
using taskscope::parallel_invoke;
using taskscope::detail::function_job;
using taskscope::detail::job;

/// Takes one job of worker 0, if there is one, and runs it.
void help_once(machine& m, worker& w) {
    if (job* j = support::steal_one(m.at(0))) core_access::run(m.core(), w, j);
}

TEST(ParallelModel, WhatAThiefHasDoneIsSeenByWhoeverWaitsForIt) {
    model::expect_holds_with_both_barriers([] {
        machine m(2);
        int first = 0;
        int second = 0;
        std::thread caller = m.be_worker(0, [&](worker&) {
            parallel_invoke([&] { first = 1; }, [&] { second = 1; });
            model::check(first == 1 && second == 1, "both were called");
            second = 2;
        });
        std::thread thief = m.be_worker(1, [&](worker& w) { help_once(m, w); });
        caller.join();
        thief.join();
        model::check(second == 2, "and once");
    });
}

// The thief forks again, and the caller, who waits, may take that part over.
TEST(ParallelModel, ACallerThatWaitsHelpsItsThief) {
    model::expect_holds_with_both_barriers([] {
        machine m(2);
        int calls[3] = {0, 0, 0};
        std::thread caller = m.be_worker(0, [&](worker&) {
            parallel_invoke([&] { ++calls[0]; },
                            [&] { parallel_invoke([&] { ++calls[1]; }, [&] { ++calls[2]; }); });
            for (const int n : calls) model::check(n == 1, "each was called once");
        });
        std::thread thief = m.be_worker(1, [&](worker& w) { help_once(m, w); });
        caller.join();
        thief.join();
    });
}

/// Belongs to nothing that anybody waits for.
struct stranger : function_job {
    stranger() : function_job(&stranger::run) {}
    static void run(function_job& j) noexcept {
        auto& self = static_cast<stranger&>(j);
        ++self.runs;
        self.ran_by = taskscope::detail::this_worker();
    }
    int runs = 0;
    const worker* ran_by = nullptr;
};

// Before it stole, and as soon as it is done, the thief has jobs of its own.
TEST(ParallelModel, ACallerThatWaitsLeavesOtherJobsOfItsThiefAlone) {
    model::expect_holds_with_both_barriers([] {
        machine m(2);
        stranger before;
        stranger after;
        std::thread caller = m.be_worker(
            0, [&](worker&) { parallel_invoke([] {}, [] { parallel_invoke([] {}, [] {}); }); });
        std::thread thief = m.be_worker(1, [&](worker& w) {
            w.forks.push(&before);
            help_once(m, w);
            w.forks.push(&after);
            while (job* j = w.pop()) core_access::run(m.core(), w, j);
        });
        caller.join();
        thief.join();
        model::check(before.runs == 1 && after.runs == 1, "they were run");
        model::check(before.ran_by == &m.at(1) && after.ran_by == &m.at(1), "by the thief itself");
    });
}

}  // namespace
