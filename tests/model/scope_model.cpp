// tests/model/scope_model.cpp - members against joins, closes, errors, shutdowns and the end of a scope.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"

#include <taskscope/current_scope.hpp>
#include <taskscope/scope_tree.hpp>
#include <taskscope/spawn_future.hpp>
#include <taskscope/task_local.hpp>
#include <taskscope/task_scope.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <model/support/machine.hpp>
#include <model/support/scope.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

namespace {

using model::core_access;
using model::join;
using model::machine;
using model::outcome;
using model::started;
using model::worker;
using taskscope::task;
using taskscope::task_scope;
using taskscope::detail::scope_access;
using taskscope::detail::scope_state;

/// A child enters. Where it is counted, it has to leave.
scope_state::place enter(scope_state& s) {
    const scope_state::place p = s.try_enter();
    model::check(p != scope_state::refused, "open");
    return p;
}

// cases: T406
TEST(ScopeModel, TheLastMemberEndsTheScopeAndTouchesNothingAfterwards) {
    model::expect_holds([] {
        machine m(1);
        auto s = std::make_unique<task_scope>(m);
        scope_state& state = scope_access::state(*s);
        int data[2] = {0, 0};
        std::thread a([&, p = enter(state)] {
            data[0] = 1;
            state.leave(p);
        });
        std::thread b([&, p = enter(state)] {
            data[1] = 1;
            state.leave(p);
        });
        join(s, m);
        model::check(data[0] + data[1] == 2, "what the members did");
        a.join();
        b.join();
    });
}

TEST(ScopeModel, AMemberThatSpawnsKeepsTheScopeOpen) {
    model::expect_holds([] {
        machine m(1);
        auto s = std::make_unique<task_scope>(m);
        scope_state& state = scope_access::state(*s);
        int left = 0;
        std::thread a([&, first = enter(state)] {
            state.leave(enter(state));  // open as long as a member is there
            left = 1;
            state.leave(first);
        });
        join(s, m);
        model::check(left == 1, "the join waited for both");
        a.join();
    });
}

// cases: T406
TEST(ScopeModel, AfterACloseNobodyEnters) {
    model::expect_holds([] {
        machine m(1);
        auto s = std::make_unique<task_scope>(m);
        scope_state& state = scope_access::state(*s);
        taskscope::detail::atomic<bool> closed{false};
        std::thread spawner([&, first = enter(state)] {
            const bool was_closed = closed.load(std::memory_order_acquire);
            const scope_state::place p = state.try_enter();
            if (p != scope_state::refused) {
                model::check(!was_closed, "nobody enters after close() has returned");
                state.leave(p);
            }
            state.leave(first);
        });
        s->close();
        closed.store(true, std::memory_order_release);
        join(s, m);
        spawner.join();
    });
}

// cases: T406
TEST(ScopeModel, TwoJoinersBothGoOn) {
    model::expect_holds(
        [] {
            machine m(1);
            auto s = std::make_unique<task_scope>(m);
            scope_state& state = scope_access::state(*s);
            int data = 0;
            std::thread member([&, p = enter(state)] {
                data = 1;
                state.leave(p);
            });
            std::thread joiner([&] {
                state.want_join();
                state.ended.blocking_wait(m);
                model::check(data == 1, "what the member did");
            });
            state.want_join();
            state.ended.blocking_wait(m);
            model::check(data == 1, "what the member did");
            joiner.join();
            s.reset();
            member.join();
        },
        model::with_few_outdated());
}

TEST(ScopeModel, ASeenErrorComesWithItsCause) {
    model::expect_holds([] {
        machine m(1);
        task_scope s(m);
        scope_state& state = scope_access::state(s);
        int cause = 0;
        std::thread a([&, p = enter(state)] {
            cause = 1;
            state.set_error();
            state.leave(p);
        });
        if (state.has_errors()) model::check(cause == 1, "the cause");
        a.join();
    });
}

TEST(ScopeModel, AScopeBelowLeavesTheOneAbove) {
    model::expect_holds([] {
        machine m(1);
        auto above = std::make_unique<task_scope>(m);
        std::thread inner([&, below = std::make_unique<task_scope>(*above)]() mutable {
            scope_state& state = scope_access::state(*below);
            std::thread member([&, p = enter(state)] { state.leave(p); });
            join(below, m);
            member.join();
        });
        join(above, m);
        inner.join();
    });
}

TEST(ScopeModel, AJoinedScopeHasLeftTheTree) {
    model::expect_holds([] {
        machine m(1);
        auto above = std::make_unique<task_scope>(m);
        auto below = std::make_unique<task_scope>(*above);
        scope_state& state = scope_access::state(*below);
        std::thread member([&, p = enter(state)] { state.leave(p); });
        join(below, m);
        model::check(scope_access::state(*above).children().empty(), "nothing is below");
        member.join();
        join(above, m);
    });
}

// cases: T406
TEST(ScopeModel, AStopFromAboveMeetsTheEndBelow) {
    model::expect_holds([] {
        machine m(1);
        auto above = std::make_unique<task_scope>(m);
        std::thread inner(
            [below = std::make_unique<task_scope>(*above)]() mutable { below.reset(); });
        above->request_stop();
        above->close();
        join(above, m);
        inner.join();
    });
}

// A shutdown gives up while the last member leaves: one of the two lets go of the state.
TEST(ScopeModel, AnAbandonedScopeIsFreedByItsLastMember) {
    model::expect_holds([] {
        machine m(1);
        auto s = std::make_unique<task_scope>(m);
        scope_state& state = scope_access::state(*s);
        const scope_state::place p = enter(state);
        state.want_join();
        std::thread member([&] { state.leave(p); });
        state.abandon();
        s.reset();  // waits for nobody: it was given up, or has ended
        member.join();
    });
}

TEST(ScopeModel, ASnapshotMeetsTheEndOfAScope) {
    model::expect_holds([] {
        machine m(1);
        auto above = std::make_unique<task_scope>(m);
        std::thread inner(
            [below = std::make_unique<task_scope>(*above)]() mutable { below.reset(); });
        scope_state& state = scope_access::state(*above);
        const auto found = state.children();
        for (const taskscope::detail::scope_reference& c : found) {
            model::check(c->counts().live == 0, "it is empty");
            const taskscope::detail::scope_reference up(c->parent());
            model::check(!up || up.get() == &state, "its place in the tree");
        }
        inner.join();
        join(above, m);
        for (const taskscope::detail::scope_reference& c : found) {
            model::check(c->parent() == nullptr, "nobody is above it any more");
        }
    });
}

// Each of two wants to be over before the other: one of them is told that this cannot be.
TEST(ScopeModel, OfTwoDependenciesOneWouldBeACycle) {
    model::expect_holds([] {
        machine m(1);
        task_scope a(m);
        task_scope b(m);
        const auto depend = [](task_scope& on, task_scope& other) {
            try {
                on.depends_on(other);
                return true;
            } catch (const taskscope::misuse_error&) {
                return false;
            }
        };
        bool ab = false;
        std::thread one([&] { ab = depend(a, b); });
        const auto needs = scope_access::state(a).needs();
        const bool ba = depend(b, a);
        one.join();
        model::check(ab != ba, "one of the two");
        model::check(needs.empty() || ab, "what is read is so");
    });
}

// Children, with everything between spawn and the end.

task<> count_up(int& n) {
    ++n;
    co_return;
}

// cases: T370, T406
TEST(ScopeModel, ASpawnedChildIsGoneWhenTheJoinReturns) {
    model::expect_holds([] {
        machine m(1);
        auto s = std::make_unique<task_scope>(m);
        auto n = std::make_unique<int>(0);
        s->spawn(count_up(*n));
        std::thread w = m.be_worker(
            0, [&](worker& self) { core_access::run(m.core(), self, m.next_job(self)); });
        join(s, m);
        model::check(*n == 1, "it ran");
        n.reset();
        w.join();
    });
}

// One member defers and leaves while the other leaves: whoever is last begins the function.
TEST(ScopeModel, ADeferredFunctionRunsOnceAfterTheLastMember) {
    model::expect_holds([] {
        machine m(1);
        auto s = std::make_unique<task_scope>(m);
        scope_state& state = scope_access::state(*s);
        int members = 0;
        int other = 0;
        int calls = 0;
        const scope_state::place first = enter(state);
        const scope_state::place second = enter(state);
        std::thread a([&] {
            s->defer([&] {
                model::check(members == 1 && other == 1, "what the members did");
                ++calls;
            });
            members = 1;
            state.leave(first);
        });
        std::thread w = m.be_worker(
            0, [&](worker& self) { core_access::run(m.core(), self, m.next_job(self)); });
        other = 1;
        state.leave(second);
        join(s, m);
        model::check(calls == 1, "it ran once, before the join returned");
        a.join();
        w.join();
    });
}

// Two members defer; a join that comes when they have left begins the first function, whose end begins the second.
TEST(ScopeModel, AJoinBeginsDeferredFunctionsOneAfterTheOther) {
    model::expect_holds([] {
        machine m(1);
        auto s = std::make_unique<task_scope>(m);
        int calls = 0;
        std::thread a([&] { s->defer([&calls] { ++calls; }); });
        s->defer([&calls] { ++calls; });
        a.join();
        std::thread w =
            m.be_worker(0, [&](worker& self) { m.run_until(self, [&] { return calls == 2; }); });
        join(s, m);
        model::check(calls == 2, "both ran");
        w.join();
    });
}

// A thread that is no member defers one more, while a join begins the first, or has ended the scope already.
TEST(ScopeModel, AJoinBeginsAFunctionWhileAnotherIsDeferred) {
    model::expect_holds(
        [] {
            machine m(1);
            auto s = std::make_unique<task_scope>(m);
            scope_state& state = scope_access::state(*s);
            int calls = 0;
            bool deferred = false;
            s->defer([&calls] { ++calls; });
            std::thread a([&] {
                try {
                    s->defer([&calls] { ++calls; });
                    deferred = true;
                } catch (const taskscope::scope_closed&) {
                    deferred = false;
                }
            });
            std::thread w = m.be_worker(0, [&](worker& self) {
                state.want_join();
                m.run_until(self, [&] { return state.has_ended(); });
            });
            a.join();
            w.join();
            join(s, m);
            model::check(calls == (deferred ? 2 : 1), "what was deferred ran");
        },
        model::with_few_outdated());
}

// What the last child was, with locals of its own, is gone by then.
TEST(ScopeModel, ADeferredFunctionIsCalledOnBehalfOfItsScope) {
    model::expect_holds([] {
        machine m(1);
        auto s = std::make_unique<task_scope>(m);
        const taskscope::task_local<int> key;
        int calls = 0;
        const auto function = [&s, &calls] {
            model::check(&taskscope::current_scope() == s.get(), "its scope is the current one");
            return count_up(calls);
        };
        s->defer(function);
        std::thread w = m.be_worker(0, [&](worker& self) {
            const taskscope::detail::local_chain locals(
                new taskscope::detail::bound_local<int>(&key, nullptr, 1));
            taskscope::detail::task_context spawner{&m, {}, nullptr, nullptr, locals.get()};
            self.context = &spawner;
            s->spawn(count_up(calls));
            self.context = nullptr;
            scope_access::state(*s).want_join();
            m.run_until(self, [&] { return calls == 2; });
        });
        w.join();
        join(s, m);
    });
}

task<int> seven() { co_return 7; }

task<> take(taskscope::child_handle<int> h, std::optional<int>& result) {
    const int r = co_await std::move(h);
    result = r;
}

// cases: T408, T410
TEST(ScopeModel, AHandleGivesTheValueOfItsChild) {
    model::expect_holds([] {
        machine m(2);
        auto s = std::make_unique<task_scope>(m);
        std::optional<int> result;
        {
            auto h = s->spawn_future(seven());
            started<void> t(m, take(std::move(h), result));
            std::thread w = m.be_worker(
                0, [&](worker& self) { core_access::run(m.core(), self, m.next_job(self)); });
            std::thread taker = m.be_worker(1, [&](worker& self) {
                core_access::run(m.core(), self, &t.promise());
                // The child's worker may be the one that goes on with it.
                while (model::job* j = self.pop()) core_access::run(m.core(), self, j);
            });
            w.join();
            taker.join();
            while (t.ends == 0) {
                std::thread rest = m.be_worker(
                    0, [&](worker& self) { m.run_until(self, [&] { return t.ends != 0; }); });
                rest.join();
            }
        }
        join(s, m);
        model::check(result == std::optional(7), "the value");
    });
}

/// Counted in a plain integer as long as it lives.
class counted {
public:
    explicit counted(int& n) : n_(&n) { ++*n_; }
    counted(counted&& o) noexcept : n_(std::exchange(o.n_, nullptr)) {}
    counted& operator=(counted&&) = delete;
    ~counted() {
        if (n_ != nullptr) --*n_;
    }

private:
    int* n_;
};

task<counted> count(int& n) { co_return counted(n); }

TEST(ScopeModel, AHandleIsDroppedWhileItsChildEnds) {
    model::expect_holds([] {
        machine m(1);
        int results = 0;
        auto s = std::make_unique<task_scope>(m);
        std::thread w = m.be_worker(
            0, [&](worker& self) { core_access::run(m.core(), self, m.next_job(self)); });
        {
            auto h = s->spawn_future(count(results));
            h.request_stop();
        }
        join(s, m);
        model::check(results == 0, "a join leaves no result behind");
        w.join();
    });
}

TEST(ScopeModel, AHandleIsDroppedAfterItsChildHasLeft) {
    model::expect_holds([] {
        machine m(1);
        int results = 0;
        auto s = std::make_unique<task_scope>(m);
        std::thread w = m.be_worker(
            0, [&](worker& self) { core_access::run(m.core(), self, m.next_job(self)); });
        {
            auto h = s->spawn_future(count(results));
            join(s, m);
        }
        model::check(results == 0, "a handle that was dropped leaves no result behind");
        w.join();
    });
}

}  // namespace
