// tests/model/wait_model.cpp - a task that waits for an event, a stop and a deadline at the same time.
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/run_blocking.hpp>
#include <taskscope/sleep.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <model/support/machine.hpp>
#include <optional>
#include <support/steal.hpp>

namespace {

using namespace std::chrono_literals;
using model::core_access;
using model::job;
using model::machine;
using model::outcome;
using model::started;
using model::worker;
using taskscope::async_event;
using taskscope::stop_source;
using taskscope::task;

task<> wait_for(async_event& e, const int& data) {
    co_await e.wait();
    model::check(data == 1, "what the setter did");
}

TEST(WaitModel, AnEventFreesItsWaiterAndMayGo) {
    model::expect_holds([] {
        machine m(1);
        int data = 0;
        auto event = std::make_unique<async_event>();
        std::thread setter;
        {
            started<void> t(m, wait_for(*event, data));
            setter = std::thread([&, e = event.get()] {
                data = 1;
                e->set();
            });
            std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
            w.join();
            model::check(t.how == outcome::value, "the event has happened");
        }
        setter.join();
        event.reset();
    });
}

TEST(WaitModel, OfAnEventAndAStopOneEndsTheWait) {
    model::expect_holds([] {
        machine m(1);
        int data = 1;
        async_event event;
        stop_source stop;
        started<void> t(m, wait_for(event, data), stop.token());
        std::thread stopper([&] { stop.request_stop(); });
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        event.set();
        w.join();
        stopper.join();
    });
}

TEST(WaitModel, TwoWaitersOfOneEventEachGoOnOnce) {
    model::expect_holds([] {
        machine m(1);
        int data = 1;
        async_event event;
        stop_source stop;
        started<void> a(m, wait_for(event, data), stop.token());
        started<void> b(m, wait_for(event, data));
        std::thread w = m.be_worker(0, [&](worker& self) {
            model::core_access::run(m.core(), self, &a.promise());
            b.run_on(m, self);
            m.run_until(self, [&] { return a.ends != 0; });
        });
        std::thread stopper([&] { stop.request_stop(); });
        event.set();
        w.join();
        stopper.join();
        model::check(a.ends == 1 && b.ends == 1, "each ends once");
        model::check(b.how == outcome::value, "nobody stopped it");
    });
}

// The wait begins on one worker and ends on another.
TEST(WaitModel, ATaskGoesOnOnAnotherWorker) {
    model::expect_holds([] {
        machine m(2);
        int data = 0;
        async_event event;
        started<void> t(m, wait_for(event, data));
        std::thread one =
            m.be_worker(0, [&](worker& w) { core_access::run(m.core(), w, &t.promise()); });
        std::thread two = m.be_worker(1, [&](worker& w) {
            if (job* j = core_access::find(m.core(), w)) core_access::run(m.core(), w, j);
        });
        data = 1;
        event.set();
        one.join();
        two.join();
        t.finish(m);
    });
}

TEST(WaitModel, WhoeverSeesTheEventSeesWhatCameBefore) {
    model::expect_holds([] {
        async_event event;
        int data = 0;
        std::thread setter([&] {
            data = 1;
            event.set();
        });
        if (event.is_set()) model::check(data == 1, "what the setter did");
        setter.join();
    });
}

task<> wait_until(async_event& e, std::optional<bool>& happened) {
    const bool h = co_await e.wait_until(std::chrono::steady_clock::now() + 1s);
    happened = h;
}

TEST(WaitModel, OfAnEventAndADeadlineOneEndsTheWait) {
    model::expect_holds([] {
        machine m(1);
        async_event event;
        std::optional<bool> happened;
        started<void> t(m, wait_until(event, happened));
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        std::thread time([] { model::advance_clock(1s); });
        event.set();
        w.join();
        time.join();
        model::check(happened.has_value(), "it has an answer");
        model::check(m.core().timers.size() == 0, "no timer is left");
    });
}

// The other worker's look at the timers comes while the wait is still being set up.
TEST(WaitModel, ADeadlineMeetsTheBeginningOfItsWait) {
    model::expect_holds([] {
        machine m(2);
        async_event event;
        std::optional<bool> happened;
        started<void> t(m, wait_until(event, happened));
        std::thread one =
            m.be_worker(0, [&](worker& w) { core_access::run(m.core(), w, &t.promise()); });
        std::thread two = m.be_worker(1, [&](worker& w) {
            model::advance_clock(1s);
            core_access::poll(m.core(), w);
            if (job* j = w.pop()) core_access::run(m.core(), w, j);
        });
        event.set();
        one.join();
        two.join();
        t.finish(m);
        model::check(m.core().timers.size() == 0, "no timer is left");
    });
}

TEST(WaitModel, OfAStopAndADeadlineOneEndsTheWait) {
    model::expect_holds([] {
        machine m(1);
        async_event event;
        std::optional<bool> happened;
        stop_source stop;
        started<void> t(m, wait_until(event, happened), stop.token());
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        std::thread time([] { model::advance_clock(1s); });
        stop.request_stop();
        w.join();
        time.join();
        model::check(t.how == outcome::stopped || happened == std::optional(false), "no event");
    });
}

// Timers.

task<> sleep_a_second() { co_await taskscope::sleep_for(1s); }

TEST(WaitModel, OfASleepAndAStopOneEndsTheWait) {
    model::expect_holds([] {
        machine m(1);
        stop_source stop;
        started<void> t(m, sleep_a_second(), stop.token());
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        std::thread time([] { model::advance_clock(1s); });
        stop.request_stop();
        w.join();
        time.join();
        model::check(m.core().timers.size() == 0, "no timer is left");
    });
}

TEST(WaitModel, ASleepEndsWhenItsTimeHasCome) {
    model::expect_holds([] {
        machine m(1);
        started<void> t(m, sleep_a_second());
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        w.join();
        model::check(t.how == outcome::value, "it is over");
    });
}

TEST(WaitModel, TwoSleepsThatEndTogetherEndOnDifferentWorkers) {
    model::expect_holds([] {
        machine m(2);
        started<void> a(m, sleep_a_second());
        started<void> b(m, sleep_a_second());
        std::thread one = m.be_worker(0, [&](worker& w) {
            core_access::run(m.core(), w, &a.promise());
            core_access::run(m.core(), w, &b.promise());
            if (job* j = support::steal_one(m.at(1))) core_access::run(m.core(), w, j);
        });
        std::thread two = m.be_worker(1, [&](worker& w) {
            model::advance_clock(1s);
            core_access::poll(m.core(), w);
            while (job* j = w.pop()) core_access::run(m.core(), w, j);
        });
        one.join();
        two.join();
        a.finish(m);
        b.finish(m);
    });
}

// Threads.

TEST(WaitModel, ABlockedThreadSeesTheEventAndMayGo) {
    model::expect_holds([] {
        machine m(1);
        int data = 0;
        async_event event;
        std::thread setter([&] {
            data = 1;
            event.set();
        });
        model::check(event.blocking_wait(m), "it has happened");
        model::check(data == 1, "what the setter did");
        setter.join();
    });
}

TEST(WaitModel, ABlockedThreadGivesUpInTime) {
    model::expect_holds([] {
        machine m(1);
        async_event event;
        int data = 0;
        std::thread setter([&] {
            data = 1;
            event.set();
        });
        std::thread time([] { model::advance_clock(1s); });
        if (event.blocking_wait(m, 1s)) model::check(data == 1, "what the setter did");
        setter.join();
        time.join();
    });
}

// run_blocking(): the task comes back with the result, and the thread ends with the executor.

task<int> call_blocking(int& data) {
    auto f = [&data] { return ++data; };
    const int result = co_await taskscope::run_blocking(f);
    co_return result;
}

TEST(WaitModel, ABlockingCallComesBackToItsExecutor) {
    model::expect_holds([] {
        machine m(1);
        int data = 0;
        started<int> t(m, call_blocking(data));
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        w.join();
        model::check(t.how == outcome::value && data == 1, "it was called");
    });
}

TEST(WaitModel, AManualExecutorWaitsForABlockingCall) {
    model::expect_holds([] {
        taskscope::manual_executor ex;
        int data = 0;
        model::check(ex.run(call_blocking(data)) == 1,
                     "it does not give up before the call has ended");
    });
}

// As long as the call is in progress somebody will make the task ready: there is no need to give up.
TEST(WaitModel, AManualExecutorWaitsForACallThatIsStopped) {
    model::expect_holds([] {
        taskscope::manual_executor ex;
        taskscope::detail::executor_core& core = taskscope::detail::executor_access::core(ex);
        int data = 0;
        stop_source stop;
        started<int> t(ex, call_blocking(data), stop.token());
        schedule(ex, t.promise());
        std::thread stopper([&] { stop.request_stop(); });
        while (t.ends == 0) {
            model::check(core.drive_manually(std::chrono::steady_clock::time_point::max()),
                         "it does not give up before the task goes on");
        }
        stopper.join();
    });
}

TEST(WaitModel, OfABlockingThreadAndAStopOneHasTheCall) {
    model::expect_holds([] {
        machine m(1);
        int data = 0;
        stop_source stop;
        started<int> t(m, call_blocking(data), stop.token());
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        stop.request_stop();
        w.join();
        model::check(t.how == (data == 1 ? outcome::value : outcome::stopped),
                     "it was called and has a value, or it was not, and was stopped");
    });
}

task<> call_twice(int& data) {
    auto f = [&data] { ++data; };
    co_await taskscope::run_blocking(f);
    co_await taskscope::run_blocking(f);
}

TEST(WaitModel, AnIdleThreadIsToldOfACall) {
    model::expect_holds([] {
        machine m(1);
        int data = 0;
        const auto start = m.now();
        started<void> t(m, call_twice(data));
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        w.join();
        model::check(data == 2, "both were called");
        model::check(m.now() == start, "and not only when the thread's patience was over");
    });
}

TEST(WaitModel, AnIdleThreadIsToldOfTheEnd) {
    model::expect_holds([] {
        const auto start = std::chrono::steady_clock::now();
        {
            machine m(1);
            int data = 0;
            started<int> t(m, call_blocking(data));
            std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
            w.join();
        }
        model::check(std::chrono::steady_clock::now() == start,
                     "the executor does not wait until the thread's patience is over");
    });
}

TEST(WaitModel, TwoBlockingCallsShareAThread) {
    model::expect_holds(
        [] {
            machine m(1);
            int a = 0;
            int b = 0;
            started<int> one(m, call_blocking(a));
            started<int> two(m, call_blocking(b));
            std::thread w = m.be_worker(0, [&](worker& self) {
                model::core_access::run(m.core(), self, &one.promise());
                two.run_on(m, self);
                m.run_until(self, [&] { return one.ends != 0; });
            });
            w.join();
            model::check(a == 1 && b == 1, "each was called");
        },
        model::with_few_outdated());
}

}  // namespace
