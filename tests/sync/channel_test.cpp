// tests/sync/channel_test.cpp - every value arrives once and in order, however calls are stopped or closed.
// SPDX-License-Identifier: MIT
#include <taskscope/channel.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/stopped.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/sequence.hpp>
#include <support/until.hpp>
#include <vector>

namespace {

using support::launched;
using support::sequence;
using support::tally;
using taskscope::channel;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::stop_source;
using taskscope::task;

using Channel = support::ledger;
using ChannelRaces = support::ledger;

task<bool> send(channel<int>& c, int value) {
    const bool sent = co_await c.send(value);
    co_return sent;
}

task<int> receive(channel<int>& c) {
    const std::optional<int> value = co_await c.receive();
    co_return value.value_or(-1);
}

// All values until the channel is closed.
task<std::vector<int>> receive_all(channel<int>& c) {
    std::vector<int> all;
    for (;;) {
        const std::optional<int> value = co_await c.receive();
        if (!value) break;
        all.push_back(*value);
    }
    co_return all;
}

TEST_F(Channel, KeepsTheOrderInWhichValuesWereSent) {
    manual_executor ex;
    channel<int> c{2};
    EXPECT_EQ(c.capacity(), 2U);
    auto produce = [&]() -> task<> {
        for (int i = 0; i < 7; ++i) {
            const bool sent = co_await c.send(i);
            EXPECT_TRUE(sent);
        }
        c.close();
    };
    launched<std::vector<int>> consumer(ex, receive_all(c));
    launched<void> producer(ex, produce());
    ex.run_ready();
    ASSERT_TRUE(producer.ended() && consumer.ended());
    EXPECT_EQ(consumer.take(), (std::vector<int>{0, 1, 2, 3, 4, 5, 6}));
}

// cases: T418
// Bulk. One wait, and then all that is there.
TEST_F(Channel, GivesAllThatIsThereAfterOneWait) {
    manual_executor ex;
    channel<int> c{8};
    auto batch = [&]() -> task<std::vector<int>> {
        std::vector<int> all;
        std::optional<int> value = co_await c.receive();
        for (; value; value = c.try_receive()) all.push_back(*value);
        co_return all;
    };
    launched<std::vector<int>> receiver(ex, batch());
    ex.run_ready();
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(c.try_send(i));
    ex.run_ready();
    EXPECT_EQ(receiver.take(), (std::vector<int>{0, 1, 2, 3, 4}));
    EXPECT_EQ(c.size(), 0U);
}

// cases: T419
// Who finds no room waits, and goes on in turn as soon as there is some
TEST_F(Channel, SendersWaitInLineForRoom) {
    manual_executor ex;
    channel<int> c{1};
    launched<bool> first(ex, send(c, 1));
    launched<bool> second(ex, send(c, 2));
    launched<bool> third(ex, send(c, 3));
    ex.run_ready();
    EXPECT_TRUE(first.ended());
    EXPECT_FALSE(second.ended() || third.ended());
    EXPECT_FALSE(c.try_send(9)) << "nobody gets past those who wait";
    EXPECT_EQ(c.try_receive(), 1);
    EXPECT_FALSE(c.try_send(9)) << "the room went to the one who waited";
    ex.run_ready();
    EXPECT_TRUE(second.ended());
    EXPECT_FALSE(third.ended());
    EXPECT_EQ(c.try_receive(), 2);
    EXPECT_EQ(c.try_receive(), 3);
    ex.run_ready();
    EXPECT_TRUE(first.take() && second.take() && third.take());
    EXPECT_EQ(c.try_receive(), std::nullopt);
}

// cases: T418
// Oversubscribed readers
TEST_F(Channel, ReceiversWaitInLineForValues) {
    manual_executor ex;
    channel<int> c{8};
    launched<int> first(ex, receive(c));
    launched<int> second(ex, receive(c));
    launched<int> third(ex, receive(c));
    ex.run_ready();
    EXPECT_TRUE(c.try_send(1));
    EXPECT_TRUE(c.try_send(2));
    EXPECT_EQ(c.size(), 0U) << "values go to those who wait, not into the buffer";
    EXPECT_EQ(c.try_receive(), std::nullopt) << "and nobody takes them away";
    ex.run_ready();
    EXPECT_EQ(first.take(), 1);
    EXPECT_EQ(second.take(), 2);
    EXPECT_FALSE(third.ended());
    c.close();
    ex.run_ready();
    EXPECT_EQ(third.take(), -1);
}

TEST_F(Channel, WithoutRoomHandsEachValueFromSenderToReceiver) {
    manual_executor ex;
    channel<int> c{0};
    EXPECT_FALSE(c.try_send(7)) << "nobody is there to take it";
    launched<bool> sender(ex, send(c, 1));
    ex.run_ready();
    EXPECT_FALSE(sender.ended()) << "a send ends when its value was received";
    launched<int> receiver(ex, receive(c));
    ex.run_ready();
    EXPECT_TRUE(sender.take());
    EXPECT_EQ(receiver.take(), 1);

    launched<int> waiting(ex, receive(c));
    ex.run_ready();
    EXPECT_TRUE(c.try_send(2));
    ex.run_ready();
    EXPECT_EQ(waiting.take(), 2);

    launched<bool> another(ex, send(c, 3));
    ex.run_ready();
    EXPECT_EQ(c.try_receive(), 3);
    ex.run_ready();
    EXPECT_TRUE(another.take());
}

// cases: T353
// Closed, it is drained, then it says so
TEST_F(Channel, ClosedIsDrainedAndThenEmpty) {
    manual_executor ex;
    channel<int> c{4};
    EXPECT_TRUE(c.try_send(1));
    EXPECT_TRUE(c.try_send(2));
    EXPECT_FALSE(c.is_closed());
    c.close();
    c.close();
    EXPECT_TRUE(c.is_closed());
    EXPECT_FALSE(c.try_send(3));
    launched<bool> sender(ex, send(c, 4));
    launched<std::vector<int>> consumer(ex, receive_all(c));
    ex.run_ready();
    EXPECT_FALSE(sender.take());
    EXPECT_EQ(consumer.take(), (std::vector<int>{1, 2}));
    EXPECT_EQ(c.try_receive(), std::nullopt);
}

// cases: T353
// A close ends all waits
TEST_F(Channel, CloseRefusesTheSendersThatWait) {
    manual_executor ex;
    channel<int> c{1};
    launched<bool> first(ex, send(c, 1));
    launched<bool> second(ex, send(c, 2));
    launched<bool> third(ex, send(c, 3));
    ex.run_ready();
    c.close();
    ex.run_ready();
    EXPECT_TRUE(first.take());
    EXPECT_FALSE(second.take());
    EXPECT_FALSE(third.take());
    EXPECT_EQ(c.try_receive(), 1);
    EXPECT_EQ(c.try_receive(), std::nullopt);
}

// cases: T353
// Immediate
TEST_F(Channel, CloseAndDiscardDropsWhatNobodyReceived) {
    support::census values;
    channel<support::citizen> c{4};
    EXPECT_TRUE(c.try_send(support::citizen(values)));
    EXPECT_TRUE(c.try_send(support::citizen(values)));
    EXPECT_EQ(values.alive, 2);
    EXPECT_EQ(c.close_and_discard(), 2U);
    EXPECT_EQ(values.alive, 0);
    EXPECT_FALSE(c.try_receive());
    EXPECT_EQ(c.close_and_discard(), 0U);
}

TEST_F(Channel, DestroysWhatNobodyReceived) {
    support::census values;
    {
        channel<support::citizen> c{3};
        for (int i = 0; i < 3; ++i) EXPECT_TRUE(c.try_send(support::citizen(values)));
        EXPECT_TRUE(c.try_receive());
        EXPECT_TRUE(c.try_send(support::citizen(values)));
        EXPECT_EQ(values.alive, 3);
    }
    EXPECT_EQ(values.alive, 0);
}

// cases: T422
// A stopped receive loses no value
TEST_F(Channel, ReceiveThatIsStoppedTakesNothing) {
    manual_executor ex;
    channel<int> c{1};
    launched<int> first(ex, receive(c));
    launched<int> second(ex, receive(c));
    launched<int> third(ex, receive(c));
    ex.run_ready();
    first.request_stop();
    EXPECT_TRUE(c.try_send(1));
    third.request_stop();
    ex.run_ready();
    EXPECT_TRUE(first.stopped());
    EXPECT_EQ(second.take(), 1);
    EXPECT_TRUE(third.stopped());
    EXPECT_TRUE(c.try_send(2));
    EXPECT_EQ(c.try_receive(), 2);
}

// cases: T422
// One that has its value already keeps it, though the stop comes before it goes on
TEST_F(Channel, ReceiveThatWasServedIsNotStopped) {
    manual_executor ex;
    channel<int> c{0};
    launched<int> receiver(ex, receive(c));
    ex.run_ready();
    EXPECT_TRUE(c.try_send(5));
    receiver.request_stop();
    ex.run_ready();
    ASSERT_FALSE(receiver.stopped());
    EXPECT_EQ(receiver.take(), 5);
}

// cases: T418
// Cancel of a pending operation
TEST_F(Channel, SendThatIsStoppedSendsNothing) {
    manual_executor ex;
    channel<int> c{1};
    launched<bool> first(ex, send(c, 1));
    launched<bool> second(ex, send(c, 2));
    launched<bool> third(ex, send(c, 3));
    ex.run_ready();
    second.request_stop();
    EXPECT_EQ(c.try_receive(), 1);
    EXPECT_EQ(c.try_receive(), 3);
    EXPECT_EQ(c.try_receive(), std::nullopt);
    ex.run_ready();
    EXPECT_TRUE(second.stopped());
    EXPECT_TRUE(third.take());
}

TEST_F(Channel, ValueOfAStoppedSendDiesWithTheCall) {
    manual_executor ex;
    support::census values;
    channel<support::citizen> c{0};
    auto sends = [&]() -> task<> { co_await c.send(support::citizen(values)); };
    launched<void> sender(ex, sends());
    ex.run_ready();
    EXPECT_GT(values.alive, 0);
    sender.request_stop();
    ex.run_ready();
    EXPECT_EQ(values.alive, 0);
}

TEST_F(Channel, CallsDoNotBeginAfterAStop) {
    manual_executor ex;
    channel<int> c{2};
    EXPECT_TRUE(c.try_send(1));
    stop_source source;
    source.request_stop();
    launched<int> receiver(ex, receive(c), source.token());
    launched<bool> sender(ex, send(c, 2), source.token());
    ex.run_ready();
    EXPECT_TRUE(receiver.stopped());
    EXPECT_TRUE(sender.stopped());
    EXPECT_EQ(c.size(), 1U);
}

TEST_F(Channel, TakesWhatCanOnlyBeMoved) {
    manual_executor ex;
    channel<std::unique_ptr<int>> c{1};
    auto value = std::make_unique<int>(1);
    EXPECT_TRUE(c.try_send(std::move(value)));
    auto refused = std::make_unique<int>(2);
    EXPECT_FALSE(c.try_send(std::move(refused)));
    ASSERT_NE(refused, nullptr) << "a refused value stays where it is";
    auto sends = [&]() -> task<> { co_await c.send(std::move(refused)); };
    launched<void> sender(ex, sends());
    ex.run_ready();
    EXPECT_EQ(*c.try_receive().value(), 1);
    EXPECT_EQ(*c.try_receive().value(), 2);
    ex.run_ready();
    EXPECT_TRUE(sender.ended());
}

// cases: T434
// Both sides always find the channel ready: each would go on for ever.
TEST_F(Channel, GivesWayToOthersWhileItIsReady) {
    executor ex{{.workers = 1}};
    channel<int> c{1'000};
    std::atomic<bool> enough{false};
    auto churn = [&]() -> task<> {
        while (!enough.load()) {
            co_await c.send(1);
            co_await c.receive();
        }
    };
    auto ends_it = [&]() -> task<> {
        enough.store(true);
        co_return;
    };
    launched<void> busy(ex, churn());
    launched<void> other(ex, ends_it());
    EXPECT_TRUE(support::until([&] { return busy.ended() && other.ended(); }));
}

TEST_F(Channel, ServesForeignThreads) {
    executor ex{{.workers = 2}};
    channel<int> c{4};
    launched<std::vector<int>> consumer(ex, receive_all(c));
    support::threads foreign;
    foreign.start([&] {
        for (int i = 0; i < 100; ++i) {
            while (!c.try_send(i)) std::this_thread::yield();
        }
        c.close();
    });
    foreign.join();
    ASSERT_TRUE(support::until([&] { return consumer.ended(); }));
    const std::vector<int> all = consumer.take();
    ASSERT_EQ(all.size(), 100U);
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<int>(i));
}

TEST(ChannelDeathTest, DestroyedUnderAWaiterTerminates) {
    auto destroys = [] {
        manual_executor ex;
        auto c = std::make_unique<channel<int>>(1);
        launched<int> receiver(ex, receive(*c));
        ex.run_ready();
        c.reset();
    };
    EXPECT_DEATH(destroys(), "something was destroyed that a task waits for");
}

// Races

struct crowd {
    unsigned workers;
    std::size_t capacity;
    std::size_t producers;
    std::size_t consumers;
};

// Each of the numbers is received once; each consumer sees those of one producer in order.
void transfer(const crowd& who) {
    constexpr std::size_t each = 400;
    executor ex{{.workers = who.workers}};
    channel<std::size_t> c{who.capacity};
    tally received(who.producers * each);
    std::atomic<std::size_t> producing{who.producers};

    auto produce = [&](std::size_t p) -> task<> {
        for (std::size_t i = 0; i < each; ++i) co_await c.send(p * each + i);
        if (producing.fetch_sub(1) == 1) c.close();
    };
    auto consume = [&]() -> task<bool> {
        std::vector<std::size_t> next(who.producers, 0);
        bool in_order = true;
        for (;;) {
            const std::optional<std::size_t> n = co_await c.receive();
            if (!n) break;
            received.count(*n);
            std::size_t& expected = next[*n / each];
            in_order = in_order && *n % each >= expected;
            expected = *n % each + 1;
        }
        co_return in_order;
    };

    std::vector<std::unique_ptr<launched<bool>>> consumers;
    std::vector<std::unique_ptr<launched<void>>> producers;
    for (std::size_t i = 0; i < who.consumers; ++i) {
        consumers.push_back(std::make_unique<launched<bool>>(ex, consume()));
    }
    for (std::size_t i = 0; i < who.producers; ++i) {
        producers.push_back(std::make_unique<launched<void>>(ex, produce(i)));
    }
    for (const auto& p : producers) ASSERT_TRUE(support::until([&] { return p->ended(); }));
    for (const auto& r : consumers) {
        ASSERT_TRUE(support::until([&] { return r->ended(); }));
        EXPECT_TRUE(r->take());
    }
    EXPECT_TRUE(received.exactly_once());
}

TEST_F(ChannelRaces, EachValueArrivesOnceAndInOrder) {
    for (const unsigned workers : {1U, 2U, 8U}) {
        for (const std::size_t capacity : {0U, 1U, 64U}) {
            transfer({workers, capacity, 1, 1});
            transfer({workers, capacity, 4, 4});
        }
    }
}

// cases: T422
// Stops race with values. What a sender was told is sent is received, or still there at the end.
TEST_F(ChannelRaces, NoValueIsLostToAStop) {
    for (const unsigned workers : {1U, 2U, 8U}) {
        for (const std::size_t capacity : {0U, 1U}) {
            executor ex{{.workers = workers}};
            for (int round = 0; round < 150; ++round) {
                channel<int> c{capacity};
                std::atomic<int> sent{0};
                std::atomic<int> received{0};
                auto sends = [&]() -> task<> {
                    const bool accepted = co_await c.send(1);
                    if (accepted) sent.fetch_add(1);
                };
                auto receives = [&]() -> task<> {
                    const std::optional<int> value = co_await c.receive();
                    received.fetch_add(value.value_or(0));
                };
                {
                    launched<void> s1(ex, sends());
                    launched<void> r1(ex, receives());
                    launched<void> s2(ex, sends());
                    launched<void> r2(ex, receives());
                    for (int i = round % 8; i > 0; --i) std::this_thread::yield();
                    r1.request_stop();
                    s2.request_stop();
                    c.close();
                    ASSERT_TRUE(support::until(
                        [&] { return s1.ended() && s2.ended() && r1.ended() && r2.ended(); }));
                }
                int left = 0;
                while (c.try_receive()) ++left;
                EXPECT_EQ(sent.load(), received.load() + left);
            }
        }
    }
}

// cases: T422
// A value comes while the one receiver is stopped: it has the value, or the channel has.
TEST_F(ChannelRaces, ValueAndStopExcludeEachOther) {
    executor ex{{.workers = 2}};
    support::rendezvous start(2);
    support::threads other;
    constexpr int rounds = 300;
    launched<int>* receiver = nullptr;
    other.start([&] {
        for (int round = 0; round < rounds; ++round) {
            start.meet();
            receiver->request_stop();
            start.meet();
        }
    });
    for (int round = 0; round < rounds; ++round) {
        channel<int> c{1};
        std::atomic<bool> waits{false};
        auto receives = [&]() -> task<int> {
            waits.store(true);
            const std::optional<int> value = co_await c.receive();
            co_return value.value_or(-1);
        };
        launched<int> t(ex, receives());
        ASSERT_TRUE(support::until([&] { return waits.load(); }));
        receiver = &t;
        start.meet();
        EXPECT_TRUE(c.try_send(round));
        start.meet();
        ASSERT_TRUE(support::until([&] { return t.ended(); }));
        if (t.stopped()) {
            EXPECT_EQ(c.try_receive(), round);
        } else {
            EXPECT_EQ(t.take(), round);
            EXPECT_EQ(c.try_receive(), std::nullopt);
        }
    }
    other.join();
}

TEST_F(ChannelRaces, CloseReachesEveryWaiter) {
    executor ex{{.workers = 2}};
    for (int round = 0; round < 50; ++round) {
        channel<int> c{1};
        std::atomic<int> sent{0};
        std::atomic<int> received{0};
        auto sends = [&]() -> task<> {
            for (;;) {
                const bool accepted = co_await c.send(1);
                if (!accepted) break;
                sent.fetch_add(1);
            }
        };
        auto receives = [&]() -> task<> {
            for (;;) {
                const std::optional<int> value = co_await c.receive();
                if (!value) break;
                received.fetch_add(1);
            }
        };
        launched<void> s1(ex, sends());
        launched<void> s2(ex, sends());
        launched<void> r1(ex, receives());
        launched<void> r2(ex, receives());
        ASSERT_TRUE(support::until([&] { return received.load() > 0; }));
        c.close();
        ASSERT_TRUE(
            support::until([&] { return s1.ended() && s2.ended() && r1.ended() && r2.ended(); }));
        EXPECT_EQ(sent.load(), received.load());
    }
}

}  // namespace
