// examples/locks.cpp - tasks that share something, and keep it while they wait for something else.
// SPDX-License-Identifier: MIT
//
// Shows   async_mutex and async_condition: money that arrives later; async_shared_mutex: readers and a writer;
//         async_semaphore: so many connections, and more of them while it is in use.
// Run     locks
// Prints  what was paid, what was read, and how many were connected at the same time
#include <taskscope/taskscope.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

struct account {
    ts::async_mutex mutex;
    ts::async_condition deposited;
    int balance = 0;
};

ts::task<> deposit(account& a, int amount) {
    {
        const ts::async_mutex::guard held = co_await a.mutex.lock();
        co_await ts::sleep_for(1ms);  // writing it down; nobody sees half of it
        a.balance += amount;
    }
    a.deposited.notify_all();
}

ts::task<> withdraw(account& a, int amount) {
    auto enough = [&] { return a.balance >= amount; };
    ts::async_mutex::guard held = co_await a.mutex.lock();
    co_await a.deposited.wait(held, enough);  // unlocked while it waits
    a.balance -= amount;
}

ts::task<> payments() {
    account a;
    co_await ts::with_group([&](ts::task_group& bank) -> ts::task<> {
        bank.spawn(withdraw(a, 70));
        bank.spawn(deposit(a, 50));
        bank.spawn(deposit(a, 50));
        co_return;
    });
    std::cout << "balance " << a.balance << '\n';
}

struct settings {
    ts::async_shared_mutex mutex;
    std::string first = "old";
    std::string second = "old";
};

ts::task<> change(settings& s) {
    const ts::async_shared_mutex::guard alone = co_await s.mutex.lock();
    s.first = "new";
    co_await ts::sleep_for(1ms);
    s.second = "new";
}

ts::task<> look(settings& s, int& mixtures) {
    const ts::async_shared_mutex::shared_guard together = co_await s.mutex.lock_shared();
    mixtures += s.first == s.second ? 0 : 1;
}

ts::task<> reading() {
    settings s;
    int mixtures[4]{};
    co_await ts::with_group([&](ts::task_group& users) -> ts::task<> {
        users.spawn(look(s, mixtures[0]));
        users.spawn(change(s));
        for (int i = 1; i < 4; ++i) users.spawn(look(s, mixtures[i]));
        co_return;
    });
    std::cout << "mixtures seen: " << std::count(mixtures, mixtures + 4, 1) << '\n';
}

struct counted {
    int now = 0;
    int most = 0;
};

ts::task<> talk(ts::async_semaphore& connections, ts::async_mutex& mutex, counted& c) {
    const ts::async_permit permit = co_await connections.acquire();
    {
        const ts::async_mutex::guard held = co_await mutex.lock();
        c.most = std::max(c.most, ++c.now);
    }
    co_await ts::sleep_for(1ms);
    const ts::async_mutex::guard held = co_await mutex.lock();
    --c.now;
}

ts::task<> connecting() {
    ts::async_semaphore connections{2};
    ts::async_mutex mutex;
    counted c;
    co_await ts::with_group([&](ts::task_group& clients) -> ts::task<> {
        for (int i = 0; i < 6; ++i) clients.spawn(talk(connections, mutex, c));
        co_return;
    });
    std::cout << "at most " << c.most << " connected";
    connections.set_limit(3);
    std::cout << ", from now on " << connections.limit() << '\n';
}

}  // namespace

int main() {
    ts::executor ex;
    ex.run(payments());
    ex.run(reading());
    ts::manual_executor in_turn;  // a clock of its own: that two talk at a time is no accident
    in_turn.run(connecting());
}
