// tests/model/injection_model.cpp - handing in from outside, and the end of the executor meanwhile.
// SPDX-License-Identifier: MIT
#include "injection_queue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <memory>
#include <model/support/machine.hpp>

namespace {

using model::machine;
using model::worker;
using taskscope::executor;
using taskscope::detail::executor_access;
using taskscope::detail::function_job;
using taskscope::detail::futex_wait;
using taskscope::detail::futex_wake_one;
using taskscope::detail::injection_queue;
using taskscope::detail::job;

struct numbered_job : function_job {
    numbered_job() : function_job([](function_job&) noexcept {}) {}
    int taken = 0;
    int order = 0;
};

void take_two(injection_queue& q, int& n) {
    std::array<job*, 2> two{};
    for (std::size_t i = 0, taken = q.pop(two, 1); i < taken; ++i) {
        auto& mine = static_cast<numbered_job&>(*two[i]);
        ++mine.taken;
        mine.order = ++n;
    }
}

TEST(InjectionModel, EachJobIsTakenOnceAndInTheOrderOfItsGiver) {
    model::expect_holds([] {
        numbered_job a;
        numbered_job b;
        numbered_job c;
        injection_queue q;
        std::thread giver([&] {
            q.push(a);
            q.push(b);
        });
        int n = 0;
        q.push(c);
        take_two(q, n);
        take_two(q, n);
        giver.join();
        while (!q.looks_empty()) take_two(q, n);
        model::check(a.taken == 1 && b.taken == 1 && c.taken == 1, "each once");
        model::check(a.order < b.order, "first in, first out");
    });
}

// The only worker takes several at once, and nobody else is there for those that it does not run at once.
TEST(InjectionModel, AllThatAreTakenTogetherAreRun) {
    model::expect_holds([] {
        struct counted_job : function_job {
            counted_job()
                : function_job(
                      [](function_job& f) noexcept { ++*static_cast<counted_job&>(f).runs; }) {}
            int* runs = nullptr;
        };
        machine m(1);
        int runs = 0;  // plain: one worker runs them
        counted_job jobs[3];
        for (counted_job& j : jobs) j.runs = &runs;
        m.core().inject(jobs[0]);
        m.core().inject(jobs[1]);
        std::thread w =
            m.be_worker(0, [&](worker& self) { m.run_until(self, [&] { return runs == 3; }); });
        m.core().inject(jobs[2]);
        w.join();
    });
}

TEST(InjectionModel, TheQueueMayGoWhenAllGiversHaveLeft) {
    model::expect_holds([] {
        auto q = std::make_unique<injection_queue>();
        numbered_job a;
        std::thread giver([&, queue = q.get()] {
            queue->push(a);
            queue->leave();
        });
        job* taken = nullptr;
        while (q->pop({&taken, 1}, 1) == 0) std::this_thread::yield();
        q->wait_for_pushers();
        q.reset();
        giver.join();
    });
}

struct last_job : function_job {
    last_job()
        : function_job([](function_job& f) noexcept {
              auto* bell = &static_cast<last_job&>(f).done;
              bell->store(1, std::memory_order_release);
              futex_wake_one(bell);
          }) {}
    taskscope::detail::atomic<std::uint32_t> done{0};
};

// The job lets somebody end the executor while the thread that has injected it is still inside.
TEST(InjectionModel, AnExecutorOutlivesWhoeverInjects) {
    model::expect_holds([] {
        last_job j;
        auto m = std::make_unique<machine>(1);
        std::thread giver([&j, core = &m->core()] { core->inject(j); });
        std::thread only = m->be_worker(
            0, [m = m.get()](worker& w) { model::core_access::run(m->core(), w, m->next_job(w)); });
        while (j.done.load(std::memory_order_acquire) == 0) futex_wait(j.done, 0);
        only.join();
        m.reset();
        giver.join();
    });
}

/// Something is always happening, so nobody has to interrupt it.
struct busy_reactor final : taskscope::reactor {
    void wait(taskscope::detail::clock::duration) noexcept override { std::this_thread::yield(); }
    bool poll() noexcept override { return false; }
    void interrupt() noexcept override { ++interrupts; }
    int interrupts = 0;
};
struct reactor_extension final : taskscope::detail::executor_extension {
    explicit reactor_extension(executor& home) { home.attach(r); }
    void shut_down() noexcept override {}
    busy_reactor r;
};

// The driver is about to be interrupted, notices by itself, and runs the last job.
TEST(InjectionModel, AReactorOutlivesWhoeverInterruptsIt) {
    model::expect_holds(
        [] {
            last_job j;
            auto m = std::make_unique<machine>(1);
            taskscope::detail::extension_of<reactor_extension>(*m);
            std::thread giver([&j, core = &m->core()] { core->inject(j); });
            std::thread only = m->be_worker(0, [m = m.get()](worker& w) {
                model::core_access::run(m->core(), w, m->next_job(w));
            });
            while (j.done.load(std::memory_order_acquire) == 0) futex_wait(j.done, 0);
            only.join();
            m.reset();
            giver.join();
        },
        model::with_few_outdated());
}

}  // namespace
