// tests/model/sleep_model.cpp - falling asleep against everything that makes work: no wake-up is lost.
// SPDX-License-Identifier: MIT
//
// Who makes the work never does it, so a worker that sleeps on is a deadlock, which the checker reports.
#include <taskscope/detail/timer.hpp>
#include <taskscope/reactor.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <model/support/machine.hpp>

namespace {

using namespace std::chrono_literals;
using model::core_access;
using model::job;
using model::machine;
using model::worker;
using taskscope::detail::function_job;

struct plain_job : function_job {
    plain_job() : function_job([](function_job&) noexcept {}) {}
    int taken = 0;
};

void take(job* j) { ++static_cast<plain_job&>(*j).taken; }
void check_taken(const plain_job& j) { model::check(j.taken == 1, "each job is taken once"); }

TEST(SleepModel, APushReachesASleeper) {
    model::expect_holds_with_both_barriers([] {
        plain_job j;
        machine m(2);
        std::thread sleeper = m.be_worker(1, [&](worker& w) { take(m.next_job(w)); });
        std::thread pusher = m.be_worker(0, [&](worker& w) { w.push(j); });
        pusher.join();
        sleeper.join();
        check_taken(j);
    });
}

TEST(SleepModel, AnInjectedJobReachesASleeper) {
    model::expect_holds_with_both_barriers([] {
        plain_job j;
        machine m(1);
        std::thread sleeper = m.be_worker(0, [&](worker& w) { take(m.next_job(w)); });
        m.core().inject(j);
        sleeper.join();
        check_taken(j);
    });
}

// One searcher is enough for a burst; it wakes the next when it has found something.
TEST(SleepModel, TwoInjectedJobsReachTwoSleepers) {
    model::expect_holds_with_both_barriers([] {
        plain_job a;
        plain_job b;
        machine m(2);
        std::thread one = m.be_worker(0, [&](worker& w) { take(m.next_job(w)); });
        std::thread two = m.be_worker(1, [&](worker& w) { take(m.next_job(w)); });
        m.core().inject(a);
        m.core().inject(b);
        one.join();
        two.join();
        check_taken(a);
        check_taken(b);
    });
}

// A worker that is awake takes one and turns the queue over, which has to be seen by whoever falls asleep meanwhile:
// nobody wakes it. That worker has found nothing before.
TEST(SleepModel, WhoeverFallsAsleepSeesWhatIsLeftInTheQueue) {
    model::expect_holds_with_both_barriers([] {
        plain_job a;
        plain_job b;
        machine m(2);
        m.core().inject(a);
        m.core().inject(b);
        std::thread awake = m.be_worker(0, [&](worker& w) {
            if (job* const j = model::core_access::find(m.core(), w)) take(j);
        });
        std::thread sleeper = m.be_worker(1, [&](worker& w) {
            model::core_access::sleep(m.core(), w);
            take(m.next_job(w));
        });
        awake.join();
        sleeper.join();
        check_taken(b.taken != 0 ? b : a);
    });
}

TEST(SleepModel, TwoPushesReachTwoSleepers) {
    model::options o = model::from_environment();
    o.outdated = 0;  // four threads: the orders of what they do are many enough
    model::expect_holds_with_both_barriers(
        [] {
            plain_job a;
            plain_job b;
            machine m(3);
            std::thread one = m.be_worker(1, [&](worker& w) { take(m.next_job(w)); });
            std::thread two = m.be_worker(2, [&](worker& w) { take(m.next_job(w)); });
            std::thread pusher = m.be_worker(0, [&](worker& w) {
                w.push(a);
                w.push(b);
            });
            pusher.join();
            one.join();
            two.join();
            check_taken(a);
            check_taken(b);
        },
        o);
}

// The pusher sees a searcher and wakes nobody; the searcher leaves with what it has found, and looks for more.
TEST(SleepModel, APushAndTheLastSearcherDoNotMissEachOther) {
    model::expect_holds([] {
        plain_job j;
        machine m(3);
        taskscope::detail::idle_state& idle = m.core().idle;
        model::check(idle.try_start_search(m.at(1)), "it searches");
        idle.announce(m.at(2));  // and sleeps
        std::thread pusher = m.be_worker(0, [&](worker& w) { w.push(j); });
        std::thread searcher =
            m.be_worker(1, [&](worker& w) { core_access::leave_idling(m.core(), w); });
        pusher.join();
        searcher.join();
        model::check(idle.sleeping().load(std::memory_order_relaxed) == 0, "the sleeper was woken");
        take(m.at(0).pop());
        check_taken(j);
    });
}

// Who has taken little from a worker leaves the one job alone that this takes back. The checker has to find a run in which it
// does.
TEST(SleepModel, AJobThatComesBackIsLeftAlone) {
    const model::result found = model::explore([] {
        plain_job comes_back;
        machine m(2);
        m.at(1).took_little_from = &m.at(0);
        std::thread thief = m.be_worker(1, [&](worker& w) {
            if (job* const j = core_access::find(m.core(), w)) return take(j);
            model::check(w.took_little_from == nullptr, "it was left alone");
        });
        std::thread owner = m.be_worker(0, [&](worker& w) {
            w.push(comes_back);
            if (job* const j = w.pop()) take(j);
        });
        owner.join();
        thief.join();
        check_taken(comes_back);
    });
    EXPECT_THAT(found.what, testing::HasSubstr("it was left alone"));
}

TEST(SleepModel, AWorkerThatTakesNothingIsNotLeftAlone) {
    model::expect_holds([] {
        machine m(2);
        m.at(1).took_little_from = &m.at(0);
        std::thread thief = m.be_worker(1, [&](worker& w) {
            model::check(core_access::find(m.core(), w) == nullptr, "nothing is there");
            model::check(w.took_little_from == nullptr, "who takes nothing is not left alone");
        });
        thief.join();
    });
}

TEST(SleepModel, AJobBelowTheOneThatComesBackIsNotLeftAlone) {
    model::expect_holds([] {
        plain_job below;
        plain_job comes_back;
        machine m(2);
        m.at(0).push(below);
        m.at(1).took_little_from = &m.at(0);
        std::thread thief = m.be_worker(1, [&](worker& w) {
            if (job* const j = core_access::find(m.core(), w)) return take(j);
            model::check(w.took_little_from == nullptr,
                         "one that has an old job is not left alone");
        });
        std::thread owner = m.be_worker(0, [&](worker& w) {
            for (int i = 0; i < 2; ++i) {
                w.push(comes_back);
                w.pop();
            }
        });
        owner.join();
        thief.join();
    });
}

TEST(SleepModel, ABranchIsStolenWhileAJobComesAndGoes) {
    model::expect_holds([] {
        plain_job branch;
        plain_job comes_back;
        machine m(2);
        model::check(m.at(0).try_fork(branch), "there is room");
        m.at(1).took_little_from = &m.at(0);
        std::thread thief = m.be_worker(1, [&](worker& w) {
            model::check(core_access::find(m.core(), w) == &branch, "it is stolen");
        });
        std::thread owner = m.be_worker(0, [&](worker& w) {
            for (int i = 0; i < 2; ++i) {
                w.push(comes_back);
                w.queue.pop();
            }
        });
        owner.join();
        thief.join();
    });
}

// But not the one that it then leaves there.
TEST(SleepModel, AJobThatStaysIsNotLeftAlone) {
    model::expect_holds_with_both_barriers([] {
        plain_job comes_back;
        plain_job stays;
        machine m(2);
        m.at(1).took_little_from = &m.at(0);
        std::thread thief = m.be_worker(1, [&](worker& w) {
            while (stays.taken == 0) take(m.next_job(w));
        });
        std::thread owner = m.be_worker(0, [&](worker& w) {
            w.push(comes_back);
            if (job* const j = w.pop()) take(j);
            w.push(stays);
        });
        owner.join();
        thief.join();
        check_taken(comes_back);
        check_taken(stays);
    });
}

struct push_when_due : taskscope::detail::suspension, taskscope::detail::timer_entry {
    push_when_due(machine& m, plain_job& j)
        : timer_entry(*this,
                      [](timer_entry& t) noexcept {
                          auto& self = static_cast<push_when_due&>(t);
                          self.home.core().schedule(self.what);
                      }),
          home(m),
          what(j) {
        deadline = m.core().now() + 5s;
    }
    machine& home;
    plain_job& what;
};

TEST(SleepModel, ATimerIsNoticedByWhoSleeps) {
    model::expect_holds_with_both_barriers([] {
        plain_job j;
        machine m(1);
        push_when_due timer(m, j);
        std::thread sleeper = m.be_worker(0, [&](worker& w) { take(m.next_job(w)); });
        m.core().arm(timer);
        sleeper.join();
        check_taken(j);
    });
}

// When the driver takes a job, somebody else has to wait for the timer.
TEST(SleepModel, TheDriverHandsOverItsRole) {
    model::expect_holds_with_both_barriers([] {
        plain_job now;
        plain_job later;
        machine m(2);
        push_when_due timer(m, later);
        m.core().arm(timer);
        std::thread one = m.be_worker(0, [&](worker& w) { take(m.next_job(w)); });
        std::thread two = m.be_worker(1, [&](worker& w) { take(m.next_job(w)); });
        m.core().inject(now);
        one.join();
        two.join();
        check_taken(now);
        check_taken(later);
    });
}

// cases: T408
TEST(SleepModel, AShutdownReachesSleepers) {
    model::expect_holds_with_both_barriers([] {
        machine m(2);
        std::thread one = m.be_worker(0, [&](worker& w) { core_access::run_worker(m.core(), w); });
        std::thread two = m.be_worker(1, [&](worker& w) { core_access::run_worker(m.core(), w); });
        m.core().shutdown();
        one.join();
        two.join();
    });
}

TEST(SleepModel, WorkThatIsThereWhenItEndsIsDone) {
    model::expect_holds_with_both_barriers([] {
        static int ran;
        ran = 0;
        function_job j([](function_job&) noexcept { ++ran; });
        machine m(1);
        std::thread one = m.be_worker(0, [&](worker& w) { core_access::run_worker(m.core(), w); });
        std::thread giver([&] { m.core().inject(j); });
        giver.join();
        m.core().shutdown();
        one.join();
        model::check(ran == 1, "what was handed in before is run");
    });
}

/// Plain inside: two callers at a time, or one that does not see what the one before did, are a race.
struct fake_reactor final : taskscope::reactor {
    void wait(clock::duration limit) noexcept override {
        model::check(complete == 1, "a reactor is complete when it is known");
        ++turns;
        if (word.load(std::memory_order_acquire) == 0)
            taskscope::detail::futex_wait(word, 0, limit);
        word.exchange(0, std::memory_order_acquire);  // sees what came before the interrupt it eats
    }
    bool poll() noexcept override {
        model::check(complete == 1, "a reactor is complete when it is known");
        ++turns;
        word.exchange(0, std::memory_order_acquire);  // eats an interrupt, as Asio's does
        return false;
    }
    void interrupt() noexcept override {
        model::check(complete == 1, "a reactor is complete when it is known");
        word.store(1, std::memory_order_release);
        taskscope::detail::futex_wake_one(&word);
    }
    int complete = 0;  // written before attach()
    int turns = 0;
    taskscope::detail::atomic<std::uint32_t> word{0};
};

TEST(SleepModel, WhoeverInterruptsAReactorKnowsAllOfIt) {
    model::expect_holds([] {
        machine m(1);
        fake_reactor r;
        m.core().idle.announce(m.at(0));  // it drives
        std::thread attacher([&] {
            r.complete = 1;
            m.attach(r);
        });
        m.core().idle.wake_one();
        attacher.join();
        model::check(m.core().idle.sleeping().load(std::memory_order_relaxed) == 0, "it was woken");
    });
}

TEST(SleepModel, AReactorIsRunByOneWorkerAtATime) {
    model::expect_holds([] {
        plain_job j;
        machine m(2);
        fake_reactor r;
        const auto start = m.now();
        std::thread sleeper = m.be_worker(0, [&](worker& w) { take(m.next_job(w)); });
        std::thread busy = m.be_worker(1, [&](worker& w) { core_access::poll(m.core(), w); });
        r.complete = 1;
        m.attach(r);
        m.core().inject(j);
        sleeper.join();
        busy.join();
        check_taken(j);
        model::check(m.now() - start < 1ms, "nobody slept until a limit was over");
    });
}

}  // namespace
