// tests/model/deadline_model.cpp - a deadline that fires, is moved, and whose task ends, all at the same time.
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/deadline.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <model/support/machine.hpp>
#include <optional>
#include <thread>
#include <utility>

namespace {

using namespace std::chrono_literals;
using model::core_access;
using model::job;
using model::machine;
using model::outcome;
using model::started;
using model::worker;
using taskscope::async_event;
using taskscope::deadline;
using taskscope::task;

task<> wait_for(async_event& e) { co_await e.wait(); }

/// What is known when the task under the deadline has ended.
struct ending {
    bool stopped = false;
    bool expired = false;
};

task<> wait_under(deadline& d, async_event& e, std::optional<ending>& how) {
    auto waiting = settle_by(d, wait_for(e));
    const auto end = co_await std::move(waiting);
    how = ending{end.is_stopped(), d.expired()};
}

/// The deadline dies as soon as its task has ended.
task<> wait_within(async_event& e, std::unique_ptr<deadline> d, std::optional<ending>& how) {
    auto waiting = settle_by(*d, wait_for(e));
    const auto end = co_await std::move(waiting);
    how = ending{end.is_stopped(), d->expired()};
    d.reset();
}

std::unique_ptr<deadline> in_a_second(machine& m) {
    return std::make_unique<deadline>(m.now() + 1s);
}

// The timer fires on one worker, the task ends on the other.
TEST(DeadlineModel, ADeadlineMeetsTheEndOfItsTask) {
    model::expect_holds([] {
        machine m(2);
        async_event event;
        std::optional<ending> how;
        started<void> t(m, wait_within(event, in_a_second(m), how));
        std::thread one =
            m.be_worker(0, [&](worker& w) { core_access::run(m.core(), w, &t.promise()); });
        std::thread two = m.be_worker(1, [&](worker& w) {
            model::advance_clock(1s);
            core_access::poll(m.core(), w);
            while (job* j = w.queue.pop()) core_access::run(m.core(), w, j);
        });
        event.set();
        one.join();
        two.join();
        t.finish(m);
        model::check(how.has_value() && (how->expired || !how->stopped), "the only reason to stop");
        model::check(m.core().timers.size() == 0, "no timer is left");
    });
}

TEST(DeadlineModel, ATimerFiresWhileItsTaskGoesOnElsewhere) {
    model::expect_holds([] {
        machine m(2);
        async_event event;
        std::optional<ending> how;
        started<void> t(m, wait_within(event, in_a_second(m), how));
        std::thread one = m.be_worker(0, [&](worker& w) {
            core_access::run(m.core(), w, &t.promise());
            event.set();
            while (job* j = w.queue.pop()) core_access::run(m.core(), w, j);
        });
        std::thread two = m.be_worker(1, [&](worker& w) {
            model::advance_clock(1s);
            core_access::poll(m.core(), w);
            while (job* j = w.queue.pop()) core_access::run(m.core(), w, j);
        });
        one.join();
        two.join();
        t.finish(m);
        model::check(how.has_value() && (how->expired || !how->stopped), "the only reason to stop");
        model::check(m.core().timers.size() == 0, "no timer is left");
    });
}

TEST(DeadlineModel, ADeadlineIsMovedWhileItFires) {
    for (const auto to : {deadline::clock::duration(2s), deadline::clock::duration::max()}) {
        model::expect_holds([to] {
            machine m(1);
            async_event event;
            std::optional<ending> how;
            deadline limit(m.now() + 1s);
            const auto later = to == to.max() ? deadline::clock::time_point::max() : m.now() + to;
            bool moved = false;
            started<void> t(m, wait_under(limit, event, how));
            std::thread mover([&] { moved = limit.move_to(later); });
            std::thread w = m.be_worker(0, [&](worker& self) {
                core_access::run(m.core(), self, &t.promise());
                model::advance_clock(1s);
                core_access::poll(m.core(), self);
                while (job* j = self.queue.pop()) core_access::run(m.core(), self, j);
            });
            event.set();
            w.join();
            mover.join();
            t.finish(m);
            model::check(how.has_value(), "it has ended");
            model::check(!moved || !how->expired, "what was moved does not fire in its old time");
            model::check(m.core().timers.size() == 0, "no timer is left");
        });
    }
}

// Another worker takes the task from the one that fires, and the deadline is gone.
TEST(DeadlineModel, WhoFiresAtTheEndOfATaskLetsGoOfTheDeadline) {
    model::expect_holds(
        [] {
            machine m(2);
            async_event event;
            std::optional<ending> how;
            started<void> t(m, wait_within(event, in_a_second(m), how));
            std::thread one = m.be_worker(0, [&](worker& w) {
                core_access::run(m.core(), w, &t.promise());
                event.set();
                while (t.ends == 0) {
                    if (job* j = core_access::find(m.core(), w)) {
                        core_access::run(m.core(), w, j);
                    } else {
                        std::this_thread::yield();
                    }
                }
            });
            std::thread two = m.be_worker(1, [&](worker& w) {
                model::advance_clock(1s);
                core_access::poll(m.core(), w);
            });
            one.join();
            two.join();
            model::check(how.has_value() && (how->expired || !how->stopped), "the only reason");
            model::check(m.core().timers.size() == 0, "no timer is left");
        },
        model::with_few_outdated());
}

// The deadline outlives its task, and the stop source above it.
TEST(DeadlineModel, AStopFromAboveMeetsTheEndOfATask) {
    model::expect_holds([] {
        machine m(1);
        async_event event;
        std::optional<ending> how;
        deadline limit(m.now() + 1s);
        auto above = std::make_unique<taskscope::stop_source>();
        started<void> t(m, wait_under(limit, event, how), above->token());
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        std::thread stopper([&] { above->request_stop(); });
        event.set();
        w.join();
        stopper.join();
        above.reset();
        model::check(how.has_value() && !limit.expired(), "its time has not come");
    });
}

}  // namespace
