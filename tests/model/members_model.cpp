// tests/model/members_model.cpp - a scope whose members are counted in stripes, and those who want it to end.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"

#include <taskscope/task_scope.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <model/support/scope.hpp>
#include <thread>

namespace {

using model::machine;
using model::worker;
using taskscope::task_scope;
using taskscope::detail::scope_access;
using taskscope::detail::scope_state;
using place = scope_state::place;

/// A scope, on a machine with one worker: so there is a stripe for that, and one for all other threads.
struct setting {
    machine m{1};
    std::unique_ptr<task_scope> s = std::make_unique<task_scope>(m);
    scope_state& state = scope_access::state(*s);

    place enter() {
        const place p = state.try_enter();
        model::check(p != scope_state::refused, "open");
        state.count_spawned(p);
        return p;
    }

    void join() { model::join(s, m); }
};

TEST(MembersModel, TheLastMemberOfAStripeEndsTheScope) {
    model::expect_holds([] {
        setting t;
        int data[2] = {0, 0};
        t.state.spread_members();
        const place first = t.enter();
        const place second = t.enter();
        model::check(first == second && first != scope_state::in_word, "in one stripe");
        std::thread a([&] {
            data[0] = 1;
            t.state.leave(first);
        });
        std::thread b = t.m.be_worker(0, [&](worker&) {
            data[1] = 1;
            t.state.leave(second);
        });
        t.join();
        model::check(data[0] + data[1] == 2, "what the members did");
        a.join();
        b.join();
    });
}

// The stripe is empty now, now it is not, and the other thread enters it at the same time.
TEST(MembersModel, AStripeIsInTheWordWhileItIsNotEmpty) {
    model::expect_holds([] {
        setting t;
        int data = 0;
        t.state.spread_members();
        const place first = t.enter();
        std::thread other([&, keeps = t.enter()] {
            t.state.leave(t.enter());
            data = 1;
            t.state.leave(keeps);
        });
        t.state.leave(first);
        t.join();
        model::check(data == 1, "the join waited for the other");
        other.join();
    });
}

TEST(MembersModel, TwoEnterAnEmptyStripe) {
    model::expect_holds(
        [] {
            setting t;
            int data[2] = {0, 0};
            const place keeps[2] = {t.enter(), t.enter()};  // in the word
            t.state.spread_members();
            const auto come_and_go = [&](int i) {
                const place p = t.enter();
                t.state.leave(keeps[i]);
                data[i] = 1;
                t.state.leave(p);
            };
            std::thread a(come_and_go, 0);
            std::thread b(come_and_go, 1);
            t.join();
            model::check(data[0] + data[1] == 2, "the join waited for both");
            a.join();
            b.join();
        },
        model::with_few_outdated());
}

TEST(MembersModel, AMemberThatSpawnsKeepsASpreadScopeOpen) {
    model::expect_holds([] {
        setting t;
        int left = 0;
        t.state.spread_members();
        std::thread a = t.m.be_worker(0, [&, first = t.enter()](worker&) {
            const place second = t.enter();
            t.state.leave(first);
            left = 1;
            t.state.leave(second);
        });
        t.join();
        model::check(left == 1, "the join waited for both");
        a.join();
    });
}

TEST(MembersModel, AfterACloseNobodyEntersAStripe) {
    model::expect_holds([] {
        setting t;
        taskscope::detail::atomic<bool> closed{false};
        t.state.spread_members();
        std::thread spawner([&, first = t.enter()] {
            const bool was_closed = closed.load(std::memory_order_acquire);
            const place p = t.state.try_enter();
            if (p != scope_state::refused) {
                model::check(!was_closed, "nobody enters after close() has returned");
                t.state.leave(p);
            }
            t.state.leave(first);
        });
        t.s->close();
        closed.store(true, std::memory_order_release);
        t.join();
        spawner.join();
    });
}

// Who has entered before leaves the word; the join comes before, while or after the scope is spread.
TEST(MembersModel, AScopeIsSpreadWhileItsMembersComeAndGo) {
    model::expect_holds(
        [] {
            setting t;
            int data = 0;
            t.state.retain();
            std::thread contender([&] {
                t.state.spread_members();
                t.state.release();
            });
            std::thread member = t.m.be_worker(0, [&, first = t.enter()](worker&) {
                const place second = t.enter();
                t.state.leave(first);
                data = 1;
                t.state.leave(second);
            });
            t.join();
            model::check(data == 1, "what the member did");
            contender.join();
            member.join();
        },
        model::with_few_outdated());
}

// What makes a scope spread: whoever has to try again counts that, and twice is enough here. The checker has to find a
// run in which it happens.
// cases: H9
TEST(MembersModel, WhoeverStandsInLineSpreadsTheScope) {
    const model::result found = model::explore([] {
        setting t;
        const auto come_and_go = [&t] { t.state.leave(t.enter()); };
        std::thread a(come_and_go);
        std::thread b(come_and_go);
        come_and_go();
        a.join();
        b.join();
        const place p = t.enter();
        const bool spread = p != scope_state::in_word;
        t.state.leave(p);
        t.s.reset();
        model::check(!spread, "the scope is spread");
    });
    EXPECT_THAT(found.what, testing::HasSubstr("the scope is spread"));
}

TEST(MembersModel, MembersOfASpreadScopeAreCounted) {
    model::expect_holds([] {
        setting t;
        const place stays = t.enter();
        std::thread member = t.m.be_worker(0, [&](worker&) {
            t.state.spread_members();
            const place first = t.enter();
            const place second = t.enter();
            t.state.leave(first);
            t.state.leave(second);
        });
        const taskscope::scope_counts c = t.state.counts();
        model::check(1 <= c.live && c.live <= 3, "one stays, two come and go");
        model::check(1 <= c.spawned && c.spawned <= 3, "one was there");
        member.join();
        model::check(t.state.counts().live == 1 && t.state.counts().spawned == 3, "all of it");
        t.state.leave(stays);
        t.s.reset();
    });
}

}  // namespace
