// tests/model/plain_child_model.cpp - children that are functions, and leave their scope together.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/scope_state.hpp>
#include <taskscope/task_scope.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <model/support/machine.hpp>

namespace {

using model::machine;
using model::worker;
using taskscope::task_scope;
using taskscope::detail::scope_access;
using taskscope::detail::scope_state;

/// A scope that its owner joins and destroys while its children are at it.
struct joined_scope {
    explicit joined_scope(machine& m) : home(m), s(std::make_unique<task_scope>(m)) {}

    void spawn(int& ran) {
        s->spawn([this, &ran] {
            ++ran;
            count.fetch_add(1, std::memory_order_relaxed);
        });
    }
    int ended() const { return count.load(std::memory_order_relaxed); }
    void join() {
        scope_state& state = scope_access::state(*s);
        state.want_join();
        model::check(state.ended.blocking_wait(home), "it has ended");
        s.reset();
    }

    machine& home;
    std::unique_ptr<task_scope> s;
    taskscope::detail::atomic<int> count{0};
};

TEST(PlainChildModel, WhatChildrenThatLeaveTogetherHaveDoneIsSeenByTheirJoin) {
    model::expect_holds([] {
        machine m(1);
        joined_scope scope(m);
        int ran[3] = {0, 0, 0};  // plain: a join sees what all of them have written
        for (int& r : ran) scope.spawn(r);
        std::thread w = m.be_worker(
            0, [&](worker& self) { m.run_until(self, [&] { return scope.ended() == 3; }); });
        scope.join();
        for (const int r : ran) model::check(r == 1, "each has run once");
        w.join();
    });
}

TEST(PlainChildModel, ChildrenOfTwoScopesLeaveTheirOwn) {
    model::expect_holds(
        [] {
            machine m(1);
            joined_scope one(m);
            joined_scope two(m);
            int ran[3] = {0, 0, 0};
            one.spawn(ran[0]);
            two.spawn(ran[1]);
            one.spawn(ran[2]);
            std::thread w = m.be_worker(0, [&](worker& self) {
                m.run_until(self, [&] { return one.ended() == 2 && two.ended() == 1; });
            });
            two.join();
            one.join();
            for (const int r : ran) model::check(r == 1, "each has run once");
            w.join();
        },
        model::with_few_outdated());
}

// Two are counted in the word, then the scope is spread, and the last one is counted in a stripe. After the first one the
// worker looks around.
TEST(PlainChildModel, ChildrenThatAreCountedApartLeaveApart) {
    model::expect_holds(
        [] {
            machine m(1);
            joined_scope scope(m);
            int ran[3] = {0, 0, 0};
            scope.spawn(ran[0]);
            scope.spawn(ran[1]);
            scope_access::state(*scope.s).spread_members();
            scope.spawn(ran[2]);
            std::thread w = m.be_worker(
                0, [&](worker& self) { m.run_until(self, [&] { return scope.ended() == 3; }); });
            scope.join();
            for (const int r : ran) model::check(r == 1, "each has run once");
            w.join();
        },
        model::with_few_outdated());
}

TEST(PlainChildModel, AScopeWithoutLiveChildrenMayGoUnjoined) {
    model::expect_holds(
        [] {
            machine m(1);
            joined_scope scope(m);
            int ran[2] = {0, 0};
            for (int& r : ran) scope.spawn(r);
            std::thread w = m.be_worker(
                0, [&](worker& self) { m.run_until(self, [&] { return scope.ended() == 2; }); });
            while (scope.s->counts().live != 0) std::this_thread::yield();
            scope.s.reset();
            w.join();
        },
        model::with_few_outdated());
}

}  // namespace
