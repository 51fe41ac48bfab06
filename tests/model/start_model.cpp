// tests/model/start_model.cpp - a starter and its child: who signals, who is stopped, who is told.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"

#include <taskscope/async_event.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/start.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/task_scope.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <model/support/machine.hpp>
#include <thread>
#include <utility>

namespace {

using model::core_access;
using model::job;
using model::machine;
using model::outcome;
using model::started;
using model::worker;
using taskscope::task;
using taskscope::task_scope;
using taskscope::detail::scope_access;
using taskscope::detail::scope_state;

// The signal of a child, its end, and a stop of its starter: what is decided is the same for all three.
TEST(StartModel, ASignalHandsOverOrTheStarterWithdraws) {
    model::expect_holds([] {
        machine m(1);
        auto s = std::make_unique<task_scope>(m);
        auto shared =
            std::make_shared<taskscope::detail::handshake_of<int*>>(scope_access::state(*s));
        const scope_state::place place = scope_access::state(*s).try_enter();
        model::check(place != scope_state::refused, "open");
        int value = 0;
        bool told = false;
        bool withdrawn = false;
        std::thread child([&, own = shared]() mutable {
            value = 1;
            told = own->signal(&value);
            own->end({});
            own.reset();
            scope_access::state(*s).leave(place);
        });
        std::thread stopper([&, own = shared] { withdrawn = own->withdraw(); });
        model::check(shared->decided.blocking_wait(m), "it is decided");
        if (shared->signalled()) {
            model::check(*shared->take() == 1, "what the child did");
        } else {
            model::check(shared->ending().is_stopped(), "nobody failed");
        }
        stopper.join();
        model::check(shared->signalled() != withdrawn, "one of the two");
        const bool handed_over = shared->signalled();
        shared.reset();
        child.join();
        model::check(told == handed_over, "the child knows");
        s.reset();  // nobody is in it
    });
}

// No signal comes between.
TEST(StartModel, AChildEndsWhileItsStarterWithdraws) {
    model::expect_holds([] {
        machine m(1);
        task_scope s(m);
        auto shared =
            std::make_shared<taskscope::detail::handshake_of<int*>>(scope_access::state(s));
        bool withdrawn = false;
        std::thread child([own = shared]() mutable {
            model::check(own->end({}), "it has not signalled");
            own.reset();
        });
        std::thread stopper([&, own = shared] { withdrawn = own->withdraw(); });
        model::check(shared->decided.blocking_wait(m) && !shared->signalled(), "it is decided");
        stopper.join();
        model::check(shared->ending().is_stopped(), "nobody failed");
        shared.reset();
        child.join();
    });
}

task<> serve(int& data, taskscope::start_signal<int*> ready) {
    data = 1;
    ready(&data);
    co_return;
}

task<> start_serving(task_scope& s, int& data, bool& handed_over) {
    auto starting = s.start(serve, std::ref(data));
    const int* const given = co_await std::move(starting);
    model::check(*given == 1, "what the child did");
    handed_over = true;
}

/// A starter and, afterwards, the end of its child's scope, on one worker. `meanwhile` runs on the model's own thread.
template <class F>
void start_and_join(taskscope::stop_token stop, F meanwhile) {
    machine m(1);
    auto s = std::make_unique<task_scope>(m);
    scope_state& state = scope_access::state(*s);
    int data = 0;
    bool handed_over = false;
    started<void> t(m, start_serving(*s, data, handed_over), stop);
    std::thread w = m.be_worker(0, [&](worker& self) {
        t.run_on(m, self);
        if (!handed_over) {
            const auto live = s->counts().live;
            model::check(live == 0, "the child has ended, or was never there");
        }
        state.want_join();
        m.run_until(self, [&] { return state.has_ended(); });
    });
    meanwhile(*s);
    w.join();
    model::check(t.how == (handed_over ? outcome::value : outcome::stopped), "one of the two");
    s.reset();
}

TEST(StartModel, AStarterIsStoppedWhileItsChildSignals) {
    model::expect_holds([] {
        taskscope::stop_source stop;
        start_and_join(stop.token(), [&](task_scope&) { stop.request_stop(); });
    });
}

TEST(StartModel, AStarterIsToldOfAChildThatWasStopped) {
    model::expect_holds([] { start_and_join({}, [](task_scope& s) { s.request_stop(); }); });
}

task<> serve_until(taskscope::async_event& over, taskscope::start_signal<> ready) {
    if (!ready()) co_await taskscope::just_stopped();
    co_await over.wait();
}

task<> start_until(task_scope& s, taskscope::async_event& over, bool& handed_over) {
    auto starting = s.start(serve_until, std::ref(over));
    co_await std::move(starting);
    handed_over = true;
}

TEST(StartModel, AStopOfTheStarterLeavesAChildThatHasSignalled) {
    model::expect_holds(
        [] {
            machine m(1);
            task_scope s(m);
            scope_state& state = scope_access::state(s);
            taskscope::async_event over;
            taskscope::stop_source stop;
            bool handed_over = false;
            started<void> t(m, start_until(s, over, handed_over), stop.token());
            std::thread w = m.be_worker(0, [&](worker& self) {
                t.run_on(m, self);
                over.set();
                state.want_join();
                m.run_until(self, [&] { return state.has_ended(); });
            });
            stop.request_stop();
            w.join();
            model::check(!handed_over || s.counts().stopped == 0, "it is not the starter's");
        },
        model::with_few_outdated());
}

task<> never_ready(taskscope::async_event& never, taskscope::start_signal<> ready) {
    const auto keep = std::move(ready);
    co_await never.wait();
}

task<> start_in_vain(std::unique_ptr<task_scope> s, taskscope::async_event& never, bool& stopped) {
    const auto how = co_await settle(s->start(never_ready, std::ref(never)));
    stopped = how.is_stopped();
    s.reset();  // nobody is in it any more
}

// The stop that reaches the starter is all that ends the child, on one worker, while the starter waits on the other.
TEST(StartModel, AStarterThatIsStoppedStopsItsChildAndWaitsForIt) {
    model::expect_holds(
        [] {
            machine m(2);
            taskscope::async_event never;
            taskscope::stop_source stop;
            bool stopped = false;
            started<void> t(m, start_in_vain(std::make_unique<task_scope>(m), never, stopped),
                            stop.token());
            std::thread one = m.be_worker(0, [&](worker& self) {
                core_access::run(m.core(), self, &t.promise());
                while (job* j = self.pop()) core_access::run(m.core(), self, j);
            });
            std::thread two = m.be_worker(1, [&](worker& self) {
                if (job* j = core_access::find(m.core(), self)) core_access::run(m.core(), self, j);
            });
            stop.request_stop();
            one.join();
            two.join();
            t.finish(m);
            model::check(stopped, "and is told so");
        },
        model::with_few_outdated());
}

}  // namespace
