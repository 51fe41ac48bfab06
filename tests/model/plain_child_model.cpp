// tests/model/plain_child_model.cpp - children that are functions, and leave their scope together.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <memory>
#include <model/support/scope.hpp>
#include <thread>

namespace {

using model::machine;
using taskscope::task_scope;
using taskscope::detail::scope_access;

/// Three children, which the only worker calls.
struct setting {
    void spawn_into(const std::unique_ptr<task_scope>& scope) {
        scope->spawn([this, i = spawned++] {
            ++calls[i];
            through.fetch_add(1, std::memory_order_relaxed);
        });
    }

    /// `owner()` meanwhile joins the scopes.
    template <class Owner>
    void call_all_while(Owner owner) {
        std::thread worker = m.be_worker(0, [this](model::worker& w) {
            m.run_until(w,
                        [this] { return through.load(std::memory_order_relaxed) == calls.size(); });
        });
        owner();
        for (const int n : calls) model::check(n == 1, "each has been called once");
        worker.join();
    }

    machine m{1};
    std::unique_ptr<task_scope> s = std::make_unique<task_scope>(m);
    std::array<int, 3> calls{};  // plain: a join sees what all of them have written
    std::size_t spawned = 0;
    taskscope::detail::atomic<std::size_t> through{0};
};

TEST(PlainChildModel, WhatChildrenThatLeaveTogetherHaveDoneIsSeenByTheirJoin) {
    model::expect_holds([] {
        setting t;
        for (int i = 0; i < 3; ++i) t.spawn_into(t.s);
        t.call_all_while([&] { model::join(t.s, t.m); });
    });
}

TEST(PlainChildModel, ChildrenOfTwoScopesLeaveTheirOwn) {
    model::expect_holds(
        [] {
            setting t;
            auto other = std::make_unique<task_scope>(t.m);
            t.spawn_into(t.s);
            t.spawn_into(other);
            t.spawn_into(t.s);
            t.call_all_while([&] {
                model::join(other, t.m);
                model::join(t.s, t.m);
            });
        },
        model::with_few_outdated());
}

// Two are counted in the word, then the scope is spread, and the last one is counted in a stripe. After the first one the
// worker looks around.
TEST(PlainChildModel, ChildrenThatAreCountedApartLeaveApart) {
    model::expect_holds(
        [] {
            setting t;
            t.spawn_into(t.s);
            t.spawn_into(t.s);
            scope_access::state(*t.s).spread_members();
            t.spawn_into(t.s);
            t.call_all_while([&] { model::join(t.s, t.m); });
        },
        model::with_few_outdated());
}

TEST(PlainChildModel, AScopeWithoutLiveChildrenMayGoUnjoined) {
    model::expect_holds(
        [] {
            setting t;
            for (int i = 0; i < 3; ++i) t.spawn_into(t.s);
            t.call_all_while([&] {
                while (t.s->counts().live != 0) std::this_thread::yield();
                t.s.reset();
            });
        },
        model::with_few_outdated());
}

}  // namespace
