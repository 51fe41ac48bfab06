// examples/policies.cpp - what a scope does when its children fail: policies, alone and stacked, and one's own.
// SPDX-License-Identifier: MIT
//
// Shows   last_errors, quorum, escalate_errors, stack, a policy written here; restart around a worker; fatal_error.
// Run     policies
// Prints  what became of the errors in each case
#include <taskscope/taskscope.hpp>

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

ts::task<> replica(int number, bool works) {
    co_await ts::sleep_for(std::chrono::milliseconds(number));
    if (!works) throw std::runtime_error("replica " + std::to_string(number) + " is down");
}

// A scope that lives for months: errors are told to a handler, and the last few are there for whoever looks.
void long_lived(ts::executor& ex) {
    const ts::last_errors kept(2);
    int told = 0;
    const auto count = [&](const ts::error_context&) { ++told; };
    {
        ts::task_scope requests{ex, {.name = "requests", .policy = ts::stack(kept, count)}};
        for (int i = 1; i <= 5; ++i) requests.spawn(replica, i, false);
        requests.blocking_join();
    }
    std::cout << "told " << told << ", dropped " << kept.dropped() << ", kept:";
    for (const ts::recorded_error& e : kept.errors())
        std::cout << ' ' << ts::describe(e.error) << ';';
    std::cout << '\n';
}

// Two answers are enough; the third is not waited for.
void majority(ts::executor& ex) {
    ts::task_scope write{ex, {.name = "write", .policy = ts::quorum(2)}};
    write.spawn(replica, 1, true);
    write.spawn(replica, 2, false);
    write.spawn(replica, 3, true);
    write.spawn(replica, 3'600'000, true);
    write.blocking_join();
    std::cout << "written, " << write.counts().stopped << " stopped: " << write.stop_reason()->text
              << '\n';
}

// Fewer are an error, with those of the others in it.
void minority(ts::executor& ex) {
    ts::task_scope write{ex, {.name = "write", .policy = ts::quorum(2)}};
    write.spawn(replica, 1, true);
    write.spawn(replica, 2, false);
    try {
        write.blocking_join();
    } catch (const ts::quorum_missed& e) {
        std::cout << e.message() << '\n';
    }
}

// The workers of a group's member are below it; their errors are the group's.
ts::task<> escalating() {
    try {
        co_await ts::with_group("app", [](ts::task_group& app) -> ts::task<> {
            const ts::scope_options options{.name = "workers", .policy = ts::escalate_errors{}};
            app.spawn([]() -> ts::task<> { co_await ts::sleep_for(1h); });
            co_await ts::with_scope(options, [](ts::task_scope& workers) -> ts::task<> {
                workers.spawn(replica, 1, false);
                co_return;
            });
        });
    } catch (const ts::exception_group& e) {
        std::cout << e.message() << ": " << ts::describe(e.errors()[0].error) << " in "
                  << e.errors()[0].scope_path << '\n';
    }
}

// One's own: after three errors the scope is closed, and what runs may finish.
class three_strikes {
public:
    ts::disposition child_completed(const ts::child_completion& c) {
        if (c.kind == ts::completion_kind::error && ++*strikes_ == 3) c.scope.close();
        return ts::disposition::handled;
    }

private:
    std::shared_ptr<std::atomic<int>> strikes_ = std::make_shared<std::atomic<int>>(0);
};

ts::task<> until_closed(ts::task_scope& jobs) {
    int admitted = 0;
    while (jobs.try_spawn({"job"}, replica, 1, false)) {
        ++admitted;
        co_await ts::sleep_for(2ms);
    }
    std::cout << "closed after " << admitted << " jobs\n";
}

void own_policy(ts::executor& ex) {
    ts::task_scope jobs{ex, {.name = "jobs", .policy = three_strikes{}}};
    ex.run(until_closed(jobs));
    jobs.blocking_join();
}

// A worker that is begun again; the handler hears of each error, the group only of the last.
ts::task<> restarting() {
    int attempts = 0;
    const auto worker = [&]() -> ts::task<> {
        if (++attempts < 3) throw std::runtime_error("lost the connection");
        std::cout << "the worker ends well at attempt " << attempts << '\n';
        co_return;
    };
    co_await ts::with_group("service", [&](ts::task_group& g) -> ts::task<> {
        g.spawn(ts::restart({.most = 5, .first_delay = 1ms}, worker));
        co_return;
    });
}

// Nothing can go on without the disk.
struct disk_gone : std::runtime_error, ts::fatal_error {
    disk_gone() : std::runtime_error("the disk is gone") {}
};

void fatal() {
    ts::manual_executor ex;
    ex.root().set_policy(ts::ignore_errors);
    ts::task_scope a{ex, {.name = "a"}};
    ts::task_scope b{ex, {.name = "b"}};
    b.spawn([]() -> ts::task<> { co_await ts::sleep_for(1h); });
    a.spawn([] { throw disk_gone(); });
    a.blocking_join();
    b.blocking_join();
    std::cout << "b was stopped: " << ts::name_of(b.stop_reason()->kind) << ", "
              << b.stop_reason()->text << '\n';
}

}  // namespace

int main() {
    ts::manual_executor ex;  // one thread and a clock of its own: who fails first is no accident
    ex.root().set_policy([](const ts::error_context& e) {
        std::cout << "root: " << ts::describe(e.error) << " in " << e.scope_path << '\n';
    });
    long_lived(ex);
    majority(ex);
    minority(ex);
    ex.run(escalating());
    own_policy(ex);
    ex.run(restarting());
    fatal();
}
