// tests/model/portal_model.cpp - foreign threads that go through portals, and what they run on behalf of a task.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"

#include <taskscope/current_scope.hpp>
#include <taskscope/deadline.hpp>
#include <taskscope/portal.hpp>
#include <taskscope/task_bridge.hpp>
#include <taskscope/task_scope.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <model/support/machine.hpp>
#include <source_location>
#include <thread>
#include <utility>

namespace {

using model::core_access;
using model::machine;
using model::outcome;
using model::started;
using model::worker;
using taskscope::deadline;
using taskscope::portal;
using taskscope::task;
using taskscope::task_bridge;
using taskscope::task_scope;
using taskscope::detail::current_context;
using taskscope::detail::scope_access;
using taskscope::detail::scope_state;
using taskscope::detail::task_context;

/// Runs what is ready, one job, on worker 0.
std::thread run_one(machine& m) {
    return m.be_worker(0,
                       [&m](worker& self) { core_access::run(m.core(), self, m.next_job(self)); });
}

TEST(PortalModel, WhoComesThroughMeetsTheEndOfTheScope) {
    model::expect_holds([] {
        machine m(1);
        auto s = std::make_unique<task_scope>(m);
        scope_state& state = scope_access::state(*s);
        int ran = 0;
        bool spawned = false;
        std::thread foreign([&spawned, &ran, home = portal(*s)] {
            const portal copy = home;  // of a scope that may be gone
            const auto child = [&ran] { ++ran; };
            spawned = copy.try_spawn(child);
        });
        if (state.try_end()) s.reset();
        foreign.join();
        model::check(spawned == (s != nullptr), "it was refused, or kept the scope open");
        if (spawned) {
            run_one(m).join();
            s.reset();
        }
        model::check(ran == (spawned ? 1 : 0), "what was spawned has run when the scope is gone");
    });
}

// The executor goes, too, while a thread finds out that the scope is over.
TEST(PortalModel, WhoComesThroughASpreadScopeMeetsTheEndOfItsExecutor) {
    model::expect_holds(
        [] {
            auto m = std::make_unique<machine>(1);
            auto s = std::make_unique<task_scope>(*m);
            scope_access::state(*s).spread_members();
            int ran = 0;
            bool spawned = false;
            std::thread foreign([&spawned, &ran, home = portal(*s)] {
                const auto child = [&ran] { ++ran; };
                spawned = home.try_spawn(child);
            });
            if (scope_access::state(*s).try_end()) {
                s.reset();
                m.reset();
            }
            foreign.join();
            model::check(spawned == (s != nullptr), "it was refused, or kept the scope open");
            if (spawned) {
                run_one(*m).join();
                s.reset();
            }
        },
        model::with_few_outdated());
}

TEST(PortalModel, ACallReturnsWhenItsChildHasLeft) {
    model::expect_holds([] {
        machine m(1);
        auto s = std::make_unique<task_scope>(m);
        std::thread w = run_one(m);
        auto data = std::make_unique<int>(0);
        {
            const portal home(*s);
            const auto f = [&data] { return ++*data; };
            model::check(home.call(f) == 1, "the value");
        }
        data.reset();
        s.reset();  // nobody is in it any more
        w.join();
    });
}

// Both lend the same context. Functions are called on the way, and what they spawn runs when they have gone.
TEST(PortalModel, TwoThreadsGoThroughOnePortal) {
    model::expect_holds([] {
        machine m(1);
        deadline over(deadline::clock::time_point::min());  // of whoever has opened the scope
        task_context above = m.core().base;
        above.limit = &over;
        const auto here = std::source_location::current();
        task_scope s = scope_access::open(above, {}, here);
        const portal home(s);
        const auto go_through = [&] {
            home.spawn([&s] {
                model::check(&taskscope::current_scope() == &s, "the scope is the current one");
                model::check(taskscope::current_deadline() == deadline::clock::time_point::max(),
                             "its deadline may be gone");
                return []() -> task<> { co_return; }();
            });
            model::check(current_context() == nullptr, "the thread works for nobody any more");
        };
        std::thread one(go_through);
        go_through();
        one.join();
        run_one(m).join();
        run_one(m).join();
        scope_access::state(s).leave(
            scope_state::in_word);  // in place of the body that such a scope has
    });
}

/// `foreign` gives a thread that calls a function.
task<> lend(std::unique_ptr<int> data, std::function<std::thread(std::function<void()>)> foreign) {
    const task_bridge bridge;
    const task_context* const own = current_context();
    const auto work = [own] {
        model::check(current_context() == own, "on behalf of the task");
        model::check(!own->stop.stop_requested(), "nobody has stopped it");
    };
    std::thread one = foreign([&] {
        const task_context* const before = current_context();
        bridge([&] {
            work();
            ++*data;
        });
        model::check(current_context() == before, "the thread does not work for the task any more");
    });
    bridge(work);
    model::check(current_context() == own, "the worker is still the task's");
    one.join();
    model::check(*data == 1, "what the other one did");
    co_return;
}

TEST(PortalModel, ABridgeLendsATaskToAThreadAndGetsItBack) {
    model::expect_holds([] {
        machine m(1);
        const auto foreign = [](std::function<void()> f) { return std::thread(std::move(f)); };
        started<void> t(m, lend(std::make_unique<int>(0), foreign));
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        w.join();
        model::check(t.how == outcome::value, "it has ended");
    });
}

// As with a library that keeps its workers busy: one that works for another task helps with a part of this one.
TEST(PortalModel, ABridgeLendsATaskToAnotherWorker) {
    model::expect_holds([] {
        machine m(2);
        task_context other = m.core().base;
        const auto foreign = [&](std::function<void()> f) {
            return m.be_worker(1, [&other, f = std::move(f)](worker& self) {
                self.context = &other;
                f();
                self.context = nullptr;
            });
        };
        started<void> t(m, lend(std::make_unique<int>(0), foreign));
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        w.join();
        model::check(t.how == outcome::value, "it has ended");
    });
}

// A worker is a foreign thread where its task goes through the portal of another executor.
TEST(PortalModel, AWorkerComesFromAnotherExecutor) {
    model::expect_holds([] {
        machine m(1);
        machine other(1);
        auto s = std::make_unique<task_scope>(m);
        const portal home(*s);
        int ran = 0;
        const auto child = [&ran] { ++ran; };
        std::thread guest = other.be_worker(0, [&](worker& self) {
            task_context own{&other, {}, nullptr};
            self.context = &own;
            model::check(home.try_spawn(child), "open");
            model::check(current_context() == &own, "it works for its own task again");
            self.context = nullptr;
        });
        std::thread w = m.be_worker(0, [&](worker& self) {
            self.context = &scope_access::state(*s).context;
            s->spawn(child);
            self.context = nullptr;
        });
        guest.join();
        w.join();
        run_one(m).join();
        run_one(m).join();
        s.reset();
        model::check(ran == 2, "both ran");
    });
}

}  // namespace
