// tests/model/support/machine.hpp - an executor whose workers are the model's own threads.
// SPDX-License-Identifier: MIT
//
// The code of a worker is the executor's own; the model decides which parts of it run on which thread, so that a
// protocol can be looked at without the rest of a worker's life.
#pragma once

#include "executor_core.hpp"

#include <taskscope/task.hpp>

#include <array>
#include <functional>
#include <memory>
#include <model/checker/model.hpp>
#include <thread>
#include <vector>

namespace taskscope::detail {

/// What executor_core grants to models.
struct core_access {
    static job* find(executor_core& c, worker& w) { return c.find(w); }
    static job* search(executor_core& c, worker& w) { return c.search(w); }
    static void leave_idling(executor_core& c, worker& w) { c.leave_idling(w); }
    static void sleep(executor_core& c, worker& w) { c.sleep(w); }
    static void poll(executor_core& c, worker& w) { c.poll(w); }
    static void run(executor_core& c, worker& w, job* j) { c.run(w, j); }
    static void run_worker(executor_core& c, worker& w) { c.run_worker(w); }
};

}  // namespace taskscope::detail

namespace model {

using taskscope::detail::core_access;
using taskscope::detail::executor_core;
using taskscope::detail::job;
using taskscope::detail::outcome;
using taskscope::detail::promise_base;
using taskscope::detail::worker;

/// An executor without threads that is otherwise the one production has: not a manual one.
class machine : public taskscope::executor {
public:
    explicit machine(unsigned workers) : executor(manual_tag{}) {
        std::destroy_at(&core());
        std::construct_at(&core(), *this,
                          taskscope::executor_options{
                              .workers = workers, .name = "m", .spins = 0, .blocking_threads = 1},
                          false);
    }

    executor_core& core() { return taskscope::detail::executor_access::core(*this); }
    worker& at(unsigned i) { return *core().workers[i]; }

    /// A thread that is worker `i` while it runs `f(worker&)`.
    template <class F>
    std::thread be_worker(unsigned i, F f) {
        return std::thread([this, i, f = std::move(f)]() mutable {
            taskscope::detail::current_worker = &at(i);
            f(at(i));
            taskscope::detail::current_worker = nullptr;
        });
    }

    /// What the worker's loop does until it has found a job. The caller runs it, or not.
    job* next_job(worker& w) {
        for (;;) {
            job* j = core_access::find(core(), w);
            if (j == nullptr) j = core_access::search(core(), w);
            if (j != nullptr) {
                core_access::leave_idling(core(), w);
                return j;
            }
            core_access::sleep(core(), w);
        }
    }

    /// The worker's loop until `done` says so.
    template <class Done>
    void run_until(worker& w, Done done) {
        while (!done()) core_access::run(core(), w, next_job(w));
    }
};

/// A task on its own: started by hand, and told how it ended.
template <class T>
struct started : taskscope::detail::receiver {
    started(taskscope::executor& m, taskscope::task<T> t, taskscope::stop_token stop = {})
        : receiver(&started::ended), task(std::move(t)), context{&m, stop, nullptr} {
        promise_base& p = *taskscope::detail::task_access::frame(task);
        p.context = &context;
        p.reports_to = taskscope::detail::completion::receiver;
        p.recv = this;
        p.owner = &taskscope::detail::task_access::frame(task);
    }

    promise_base& promise() { return *taskscope::detail::task_access::frame(task); }

    /// Runs it, and on `w` whatever is ready, until it has ended.
    void run_on(machine& m, worker& w) {
        core_access::run(m.core(), w, &promise());
        m.run_until(w, [this] { return ends != 0; });
        check(ends == 1, "a task ends once");
    }

    /// What is left of it when the model's threads have ended: on worker 0, if there is anything.
    void finish(machine& m) {
        if (ends == 0) {
            std::thread rest =
                m.be_worker(0, [&](worker& w) { m.run_until(w, [this] { return ends != 0; }); });
            rest.join();
        }
        check(ends == 1, "a task ends once");
    }

    static job* ended(receiver& r, promise_base* p) noexcept {
        auto& self = static_cast<started&>(r);
        ++self.ends;
        self.how = p == nullptr ? outcome::stopped : p->result;
        if (p != nullptr) {  // whoever still looks at the frame is wrong
            p->handle().destroy();
            taskscope::detail::task_access::frame(self.task) = nullptr;
        }
        return nullptr;
    }

    taskscope::task<T> task;
    taskscope::detail::task_context context;
    int ends = 0;  // plain: told by the worker that runs the task, and by nobody else
    outcome how = outcome::pending;
};

/// expect_holds() with membarrier(2), and without, for bodies that need no executor, which asks for it, too.
inline void expect_holds_with_both_barriers(const std::function<void()>& body,
                                            options o = from_environment()) {
    for (const bool membarrier : {true, false}) {
        o.membarrier = membarrier;
        expect_holds(
            [&] {
                taskscope::detail::enable_asymmetric_barriers();
                body();
            },
            o);
    }
}

}  // namespace model
