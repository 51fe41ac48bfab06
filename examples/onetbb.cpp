// examples/onetbb.cpp - a service that computes with oneTBB while it answers other requests.
// SPDX-License-Identifier: MIT
//
// Shows   tbb_guest: an algorithm of oneTBB awaited by a task; its error; a stop that cancels it.
// Run     onetbb
// Prints  the sum of squares, what was answered meanwhile, an error and a stop
#include <taskscope/bridges/tbb_guest.hpp>
#include <taskscope/taskscope.hpp>

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/parallel_reduce.h>
#include <oneapi/tbb/task_group.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <thread>

namespace ts = taskscope;

namespace {

using numbers = oneapi::tbb::blocked_range<long>;

long add_squares(const numbers& part, long sum) {
    for (long i = part.begin(); i != part.end(); ++i) sum += i * i;
    return sum;
}

// The task is suspended while workers compute; one of them stays with the other tasks.
ts::task<long> sum_of_squares(ts::tbb_guest& guest, long n) {
    co_return co_await guest.run([n] {
        return oneapi::tbb::parallel_reduce(numbers(0, n), 0L, add_squares, std::plus<>{});
    });
}

// The algorithm ends only when another task has run, on the worker that was not lent.
ts::task<> serve_meanwhile(ts::tbb_guest& guest) {
    const auto both = [&](ts::task_scope& s) -> ts::task<> {
        std::atomic<bool> asked{false};
        std::atomic<bool> answered{false};
        const auto answer = [&]() -> ts::task<> {
            while (!asked) co_await ts::yield();
            std::cout << "answered while the algorithm ran\n";
            answered = true;
        };
        s.spawn(answer);
        co_await guest.run([&] {
            oneapi::tbb::parallel_for(0, 4, [&](int) {
                asked = true;
                while (!answered) std::this_thread::yield();
            });
        });
        std::cout << "the algorithm has ended\n";
    };
    co_await ts::with_scope(both);
}

ts::task<> fail(ts::tbb_guest& guest) {
    co_await guest.run([] {
        oneapi::tbb::parallel_for(0, 100, [](int i) {
            if (i == 42) throw std::out_of_range("42 is out of range");
        });
    });
}

// Its bodies look whether they are still wanted. Those that have not begun never do.
ts::task<> compute_for_ever(ts::tbb_guest& guest) {
    co_await guest.run([] {
        oneapi::tbb::parallel_for(0, 4, [](int) {
            while (!oneapi::tbb::is_current_task_group_canceling()) std::this_thread::yield();
        });
    });
}

}  // namespace

int main() {
    ts::executor ex{{.workers = 4}};
    ts::tbb_guest guest(ex);  // lends three of them
    std::cout << "sum " << ex.run(sum_of_squares(guest, 1001)) << '\n';
    ex.run(serve_meanwhile(guest));
    try {
        ex.run(fail(guest));
    } catch (const std::out_of_range& e) {
        std::cout << "failed: " << e.what() << '\n';
    }
    const bool in_time =
        ex.run(ts::move_on_after(std::chrono::milliseconds(20), compute_for_ever(guest)));
    std::cout << (in_time ? "done" : "stopped") << '\n';
}
