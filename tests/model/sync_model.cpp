// tests/model/sync_model.cpp - the queue of a channel and its gate; what is handed to a waiter, and its stop.
// SPDX-License-Identifier: MIT
#include <taskscope/async_condition.hpp>
#include <taskscope/async_mutex.hpp>
#include <taskscope/channel.hpp>
#include <taskscope/detail/gated_ring.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <model/support/machine.hpp>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace {

using model::machine;
using model::outcome;
using model::started;
using model::worker;
using taskscope::async_condition;
using taskscope::async_mutex;
using taskscope::channel;
using taskscope::stop_source;
using taskscope::task;
using taskscope::detail::gated_ring;

// What goes through a queue: a number, and plain memory that its receiver must see as its sender left it.
struct parcel {
    std::size_t number = 0;
    int* contents = nullptr;
};

// Parcels that are sent once and received once.
template <std::size_t N>
struct parcels {
    std::array<int, N> contents{};
    std::array<int, N> received{};

    parcel pack(std::size_t i) {
        contents[i] = 1;
        return {i, &contents[i]};
    }
    void unpack(const parcel& p) {
        model::check(std::exchange(*p.contents, 2) == 1, "what the sender did");
        ++received[p.number];
    }
    void unpack_if(const std::optional<parcel>& p) {
        if (p) unpack(*p);
    }
    void check_each_received_once() {
        for (const int n : received) model::check(n == 1, "each is received once");
    }
};

template <std::size_t N>
bool push(gated_ring<parcel>& r, parcels<N>& all, std::size_t i) {
    parcel p = all.pack(i);
    return r.try_push(p);
}

template <std::size_t N>
void empty_out(gated_ring<parcel>& r, parcels<N>& all) {
    std::optional<parcel> p;
    while (r.try_pop(p)) all.unpack(*std::exchange(p, std::nullopt));
}

TEST(SyncModel, TwoPushAndTwoPopThroughOneCell) {
    model::expect_holds([] {
        parcels<2> all;
        gated_ring<parcel> r(1);
        std::array<bool, 2> sent{};
        std::thread one([&] { sent[0] = push(r, all, 0); });
        std::thread popper([&] {
            std::optional<parcel> p;
            r.try_pop(p);
            all.unpack_if(p);
        });
        sent[1] = push(r, all, 1);
        std::optional<parcel> p;
        r.try_pop(p);
        all.unpack_if(p);
        one.join();
        popper.join();
        empty_out(r, all);
        for (std::size_t i = 0; i < 2; ++i) {
            model::check(all.received[i] == (sent[i] ? 1 : 0), "what was sent is received");
        }
    });
}

TEST(SyncModel, ACellIsNotReusedWhileItIsRead) {
    model::expect_holds([] {
        parcels<3> all;
        gated_ring<parcel> r(1);
        std::thread popper([&] {
            for (int i = 0; i < 2; ++i) {
                std::optional<parcel> p;
                r.try_pop(p);
                all.unpack_if(p);
            }
        });
        for (std::size_t i = 0; i < 3; ++i) {
            if (!push(r, all, i)) all.unpack({i, &all.contents[i]});
        }
        popper.join();
        empty_out(r, all);
        all.check_each_received_once();
    });
}

// One pushes, one pops, and the third has the queue to himself for a while.
TEST(SyncModel, BehindTheGateTheQueueIsWhatItsPositionsSay) {
    model::expect_holds([] {
        parcels<2> all;
        gated_ring<parcel> r(2);
        std::mutex mutex;
        model::check(push(r, all, 0), "there is room");
        std::thread pusher([&] {
            if (!push(r, all, 1)) all.unpack({1, &all.contents[1]});
        });
        std::thread popper([&] {
            std::optional<parcel> p;
            r.try_pop(p);
            all.unpack_if(p);
        });
        {
            const std::lock_guard lock{mutex};
            r.close_gate();
            const std::size_t size = r.size();
            model::check(r.empty() == (size == 0) && r.full() == (size == 2), "the positions");
            if (!r.empty()) all.unpack(r.pop());
            model::check(r.size() == (size == 0 ? 0 : size - 1), "nobody else was there");
            r.open_gate();
        }
        pusher.join();
        popper.join();
        empty_out(r, all);
        all.check_each_received_once();
    });
}

task<> receive(channel<parcel>& c, parcels<1>& all) {
    const std::optional<parcel> p = co_await c.receive();
    all.unpack_if(p);
}

// W7: a push without the mutex and a receiver that is about to wait do not miss each other.
TEST(SyncModel, APushFindsTheReceiverOrTheReceiverThePush) {
    model::expect_holds([] {
        machine m(1);
        parcels<1> all;
        channel<parcel> c(1);
        started<void> t(m, receive(c, all));
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        model::check(c.try_send(all.pack(0)), "there is room");
        w.join();
        all.check_each_received_once();
    });
}

TEST(SyncModel, AStopTakesNoValueWithIt) {
    for (const std::size_t capacity : {0U, 1U}) {
        model::expect_holds([capacity] {
            machine m(1);
            parcels<1> all;
            channel<parcel> c(capacity);
            stop_source stop;
            started<void> t(m, receive(c, all), stop.token());
            std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
            std::thread stopper([&] { stop.request_stop(); });
            const bool sent = c.try_send(all.pack(0));
            w.join();
            stopper.join();
            if (!sent) all.unpack({0, &all.contents[0]});
            all.unpack_if(c.try_receive());
            all.check_each_received_once();
        });
    }
}

TEST(SyncModel, AReceiverIsToldThatTheChannelIsClosed) {
    model::expect_holds([] {
        machine m(1);
        parcels<1> all;
        channel<parcel> c(1);
        started<void> t(m, receive(c, all));
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        bool seen = false;
        std::thread looks([&] { seen = c.is_closed(); });
        c.close();
        w.join();
        looks.join();
        model::check(!seen || c.is_closed(), "it stays so");
        model::check(t.how == outcome::value && all.received[0] == 0, "it has ended, with nothing");
    });
}

task<> send(channel<parcel>& c, parcel p, bool& sent) {
    const bool s = co_await c.send(p);
    sent = s;
}

// The channel is full: room comes, or a stop.
TEST(SyncModel, APopFindsTheSenderOrTheSenderTheRoom) {
    for (const bool with_stop : {false, true}) {
        model::expect_holds([with_stop] {
            machine m(1);
            parcels<2> all;
            channel<parcel> c(1);
            model::check(c.try_send(all.pack(0)), "there is room");
            bool sent = false;
            stop_source stop;
            started<void> t(m, send(c, all.pack(1), sent), stop.token());
            std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
            std::thread stopper([&] {
                if (with_stop) stop.request_stop();
            });
            all.unpack_if(c.try_receive());
            w.join();
            stopper.join();
            model::check(all.received[0] == 1, "it was there");
            model::check(sent || with_stop, "there was room for it");
            model::check(sent == (t.how == outcome::value), "nothing is sent by a stopped send");
            all.unpack_if(c.try_receive());
            model::check(all.received[1] == (sent ? 1 : 0), "what was sent is received");
        });
    }
}

task<> lock(async_mutex& mutex, int& inside) {
    const async_mutex::guard held = co_await mutex.lock();
    ++inside;
}

TEST(SyncModel, ALockIsHandedOverOrItsWaiterIsStopped) {
    model::expect_holds([] {
        machine m(1);
        async_mutex mutex;
        int inside = 0;  // plain: guarded by the mutex
        async_mutex::guard first = mutex.try_lock();
        stop_source stop;
        started<void> t(m, lock(mutex, inside), stop.token());
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        std::thread stopper([&] { stop.request_stop(); });
        ++inside;
        first.unlock();
        w.join();
        stopper.join();
        model::check(inside == (t.how == outcome::value ? 2 : 1), "who has not got it did nothing");
        model::check(static_cast<bool>(mutex.try_lock()), "it is free");
    });
}

TEST(SyncModel, OfTwoThatTryToLockOneIsInside) {
    model::expect_holds([] {
        async_mutex mutex;
        int inside = 0;  // plain: guarded by the mutex
        int locked = 0;
        const auto try_to_lock = [&] {
            const async_mutex::guard held = mutex.try_lock();
            if (held) ++inside;
            return held ? 1 : 0;
        };
        std::thread other([&] { locked = try_to_lock(); });
        const int mine = try_to_lock();
        other.join();
        model::check(mine + locked >= 1 && inside == mine + locked, "one at a time");
        model::check(static_cast<bool>(mutex.try_lock()), "it is free");
    });
}

struct state {
    async_mutex mutex;
    async_condition changed;
    bool ready = false;
};

task<> wait_until_ready(state& s) {
    auto ready = [&s] { return s.ready; };
    async_mutex::guard held = co_await s.mutex.lock();
    co_await s.changed.wait(held, ready);
}

task<> get_ready(state& s, bool all) {
    {
        const async_mutex::guard held = co_await s.mutex.lock();
        s.ready = true;
    }
    if (all) {
        s.changed.notify_all();
    } else {
        s.changed.notify_one();
    }
}

TEST(SyncModel, ANotificationIsNotMissed) {
    for (const bool all : {false, true}) {
        model::expect_holds([all] {
            machine m(2);
            state s;
            started<void> waiter(m, wait_until_ready(s));
            started<void> notifier(m, get_ready(s, all));
            std::thread w0 = m.be_worker(0, [&](worker& self) {
                model::core_access::run(m.core(), self, &notifier.promise());
            });
            std::thread w1 = m.be_worker(1, [&](worker& self) { waiter.run_on(m, self); });
            w0.join();
            w1.join();
        });
    }
}

task<> wait_in_vain(state& s, int& looks) {
    auto never = [&looks] {
        ++looks;
        return false;
    };
    async_mutex::guard held = co_await s.mutex.lock();
    co_await s.changed.wait(held, never);
}

// Whoever notifies need not hold the mutex: what a waiter does to the line is all that is there.
TEST(SyncModel, ANotificationMeetsAWaiterThatIsStopped) {
    for (const bool all : {false, true}) {
        model::expect_holds(
            [all] {
                machine m(1);
                state s;
                int looks = 0;
                stop_source stop;
                started<void> t(m, wait_in_vain(s, looks), stop.token());
                std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
                std::thread stopper([&] { stop.request_stop(); });
                if (all) {
                    s.changed.notify_all();
                } else {
                    s.changed.notify_one();
                }
                w.join();
                stopper.join();
                model::check(t.how == outcome::stopped && looks <= 2, "only a stop ends it");
            },
            model::with_few_outdated());
    }
}

}  // namespace
