// tests/model/join_model.cpp - fork_join with branches that are stolen, and frames freed where they end.
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/fork_join.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <model/support/machine.hpp>
#include <stdexcept>
#include <support/steal.hpp>

namespace {

using model::core_access;
using model::job;
using model::machine;
using model::outcome;
using model::started;
using model::worker;
using taskscope::fork_join;
using taskscope::stop_source;
using taskscope::task;

/// A worker that steals at most `n` jobs and runs them, and then looks no more.
void steal_some(machine& m, worker& self, worker& victim, int n) {
    for (int i = 0; i < n; ++i) {
        if (job* j = support::steal_one(victim)) core_access::run(m.core(), self, j);
    }
    // What its jobs have left to do; others may take it too.
    while (job* j = self.pop()) core_access::run(m.core(), self, j);
}

/// The owner goes on until the task has ended, wherever that is.
struct shared_end {
    taskscope::detail::atomic<int> ended{0};
};

task<int> branch(int n) { co_return n; }

task<> add(int& result, shared_end& end) {
    auto [a, b] = co_await fork_join(branch(1), branch(2));
    result = a + b;
    end.ended.store(1, std::memory_order_release);
}

// cases: T408
TEST(JoinModel, TheLastBranchGoesOnWithTheParent) {
    model::expect_holds([] {
        machine m(2);
        int result = 0;
        shared_end end;
        started<void> t(m, add(result, end));
        std::thread owner = m.be_worker(0, [&](worker& w) {
            core_access::run(m.core(), w, &t.promise());
            while (job* j = w.pop()) core_access::run(m.core(), w, j);
        });
        std::thread thief = m.be_worker(1, [&](worker& w) { steal_some(m, w, m.at(0), 1); });
        owner.join();
        thief.join();
        model::check(end.ended.load(std::memory_order_relaxed) == 1 && result == 3, "both results");
        model::check(t.ends == 1, "it ends once");
    });
}

task<> add_three(int& result) {
    auto [a, b, c] = co_await fork_join(branch(1), branch(2), branch(4));
    result = a + b + c;
}

TEST(JoinModel, ThreeBranchesOfWhichTwoMayBeStolen) {
    model::expect_holds([] {
        machine m(2);
        int result = 0;
        started<void> t(m, add_three(result));
        std::thread owner = m.be_worker(0, [&](worker& w) {
            core_access::run(m.core(), w, &t.promise());
            while (job* j = w.pop()) core_access::run(m.core(), w, j);
        });
        std::thread thief = m.be_worker(1, [&](worker& w) { steal_some(m, w, m.at(0), 2); });
        owner.join();
        thief.join();
        model::check(result == 7 && t.ends == 1, "all results, once");
    });
}

task<int> failing() {
    throw std::runtime_error("x");
    co_return 0;
}

task<> add_failing(bool& caught) {
    try {
        auto [a, b] = co_await fork_join(branch(1), failing());
        model::check(a + b < 0, "not reached");
    } catch (const std::runtime_error&) {
        caught = true;
    }
}

TEST(JoinModel, AnErrorOfAStolenBranchReachesTheParent) {
    model::expect_holds([] {
        machine m(2);
        bool caught = false;
        {
            started<void> t(m, add_failing(caught));
            std::thread owner =
                m.be_worker(0, [&](worker& w) { core_access::run(m.core(), w, &t.promise()); });
            std::thread thief = m.be_worker(1, [&](worker& w) { steal_some(m, w, m.at(0), 1); });
            owner.join();
            thief.join();
        }
        model::check(caught, "it was thrown");
    });
}

task<int> stoppable(taskscope::async_event& never) {
    co_await never.wait();
    co_return 0;
}

task<> join_stopped(taskscope::async_event& never) {
    co_await fork_join(branch(1), stoppable(never));
    model::check(false, "not reached");
}

TEST(JoinModel, AStoppedBranchStopsTheParent) {
    model::expect_holds(
        [] {
            machine m(2);
            taskscope::async_event never;
            stop_source stop;
            started<void> t(m, join_stopped(never), stop.token());
            std::thread owner = m.be_worker(0, [&](worker& w) {
                core_access::run(m.core(), w, &t.promise());
                while (job* j = w.pop()) core_access::run(m.core(), w, j);
            });
            std::thread thief = m.be_worker(1, [&](worker& w) { steal_some(m, w, m.at(0), 1); });
            owner.join();
            thief.join();
            // Whoever suspended it is done; the stop hands it in from outside.
            stop.request_stop();
            std::thread last =
                m.be_worker(0, [&](worker& w) { m.run_until(w, [&] { return t.ends != 0; }); });
            last.join();
            model::check(t.how == outcome::stopped && t.ends == 1, "stopped, once");
        },
        model::with_few_outdated());
}

// Frame memory belongs to whoever frees it.
TEST(JoinModel, FramesAreFreedOnAnotherWorker) {
    model::expect_holds([] {
        machine m(2);
        taskscope::detail::atomic<void*> handed{nullptr};
        std::thread maker = m.be_worker(0, [&](worker&) {
            int* block = static_cast<int*>(taskscope::detail::allocate_frame(64));
            *block = 7;
            handed.store(block, std::memory_order_release);
        });
        std::thread breaker = m.be_worker(1, [&](worker&) {
            while (handed.load(std::memory_order_acquire) == nullptr) std::this_thread::yield();
            void* block = handed.load(std::memory_order_relaxed);
            model::check(*static_cast<int*>(block) == 7, "whole");
            taskscope::detail::free_frame(block, 64);
        });
        model::check(taskscope::frames().live <= 1, "a reader is welcome at any time");
        maker.join();
        breaker.join();
        model::check(taskscope::frames().live == 0, "exact when all is quiet");
    });
}

}  // namespace
