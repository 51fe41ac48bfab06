// tests/executor/reactor_test.cpp - who calls a reactor, when, and how its wait ends.
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/reactor.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <vector>

namespace {

using namespace std::chrono_literals;
using support::launched;
using support::until;
using taskscope::async_event;
using taskscope::executor;
using taskscope::misuse_error;
using taskscope::task;

using Reactor = support::ledger;

/// Completions are events to set.
class fake_reactor : public taskscope::reactor {
public:
    /// With `heed_limit` false only a completion or interrupt() ends wait().
    explicit fake_reactor(bool heed_limit = true) : heed_limit_(heed_limit) {}

    bool poll() noexcept override {
        const visit inside(*this);
        polls.fetch_add(1);
        return complete();
    }

    void wait(clock::duration limit) noexcept override {
        const visit inside(*this);
        {
            std::unique_lock lock{mutex_};
            last_limit_ = limit;
            waits.fetch_add(1);
            waiting.store(true);
            const auto over = [&] { return interrupted_ || !ready_.empty(); };
            if (heed_limit_) {
                bell_.wait_for(lock, limit, over);
            } else {
                bell_.wait(lock, over);
            }
            interrupted_ = false;
            waiting.store(false);
        }
        complete();
    }

    void interrupt() noexcept override {
        const std::lock_guard lock{mutex_};
        interrupts.fetch_add(1);
        interrupted_ = true;
        bell_.notify_one();
    }

    /// From any thread. Ends a wait(), as a readable socket does.
    void post(async_event& e) {
        const std::lock_guard lock{mutex_};
        ready_.push_back(&e);
        bell_.notify_one();
    }

    clock::duration last_limit() {
        const std::lock_guard lock{mutex_};
        return last_limit_;
    }

    std::atomic<bool> waiting{false};
    std::atomic<int> waits{0};
    std::atomic<int> polls{0};
    std::atomic<int> interrupts{0};
    std::atomic<bool> overlapped{false};

private:
    /// Notices two callers at a time.
    class visit {
    public:
        explicit visit(fake_reactor& r) : reactor_(r) {
            if (reactor_.inside_.exchange(true)) reactor_.overlapped.store(true);
        }
        visit(const visit&) = delete;
        visit& operator=(const visit&) = delete;
        ~visit() { reactor_.inside_.store(false); }

    private:
        fake_reactor& reactor_;
    };

    bool complete() {
        std::vector<async_event*> now;
        {
            const std::lock_guard lock{mutex_};
            now.swap(ready_);
        }
        for (async_event* e : now) e->set();
        return !now.empty();
    }

    const bool heed_limit_;
    std::atomic<bool> inside_{false};
    std::mutex mutex_;
    std::condition_variable bell_;
    bool interrupted_ = false;
    std::vector<async_event*> ready_;
    clock::duration last_limit_{};
};

task<> wait_for(async_event& event) { co_await event.wait(); }

TEST_F(Reactor, IsWaitedInByAnIdleWorkerAndItsCompletionsResumeTasks) {
    fake_reactor reactor(false);
    executor ex{{.workers = 2}};
    ex.attach(reactor);
    for (int i = 0; i < 100; ++i) {
        async_event event;
        launched<void> t(ex, wait_for(event));
        ASSERT_TRUE(until([&] { return reactor.waiting.load(); }));
        reactor.post(event);
        ASSERT_TRUE(until([&] { return t.ended(); }));
    }
    ex.shutdown();
    EXPECT_FALSE(reactor.overlapped.load());
}

TEST_F(Reactor, IsInterruptedWhenItsWaitKeepsTheOnlyWorkerFromAJob) {
    fake_reactor reactor(false);
    executor ex{{.workers = 1}};
    ex.attach(reactor);
    auto number = [](int n) -> task<int> { co_return n; };
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(until([&] { return reactor.waiting.load(); }));
        ASSERT_EQ(ex.run(number(i)), i);  // else for ever
    }
    EXPECT_GE(reactor.interrupts.load(), 1);
    ex.shutdown();
}

TEST_F(Reactor, IsPolledByABusyWorker) {
    fake_reactor reactor;
    executor ex{{.workers = 1}};
    ex.attach(reactor);
    async_event event;
    auto busy = [&]() -> task<> {
        while (!event.is_set()) co_await taskscope::yield();
    };
    launched<void> t(ex, busy());
    const int before = reactor.polls.load();
    ASSERT_TRUE(until([&] { return reactor.polls.load() > before + 3; }));
    reactor.post(event);
    ASSERT_TRUE(until([&] { return t.ended(); }));
    ex.shutdown();
}

TEST_F(Reactor, IsGivenABoundForItsWait) {
    fake_reactor reactor;
    executor ex{{.workers = 1}};
    ex.attach(reactor);
    ASSERT_TRUE(until([&] { return reactor.waiting.load(); }));
    EXPECT_LE(reactor.last_limit(), 500ms);
    EXPECT_GT(reactor.last_limit(), 0ms);
    ex.shutdown();
}

TEST_F(Reactor, IsGivenTheTimeToTheNextTimerIfThatIsLess) {
    fake_reactor reactor;
    executor ex{{.workers = 2}};
    ex.attach(reactor);
    auto sleeps = [](executor::clock::duration d) -> task<> { co_await taskscope::sleep_for(d); };
    launched<void> late(ex, sleeps(1h));
    ASSERT_TRUE(until([&] { return reactor.waiting.load(); }));
    launched<void> early(ex, sleeps(100ms));
    ASSERT_TRUE(until([&] {
        return early.ended() || (reactor.waiting.load() && reactor.last_limit() <= 100ms);
    }));
    ASSERT_TRUE(until([&] { return early.ended(); }));
    late.request_stop();
    ASSERT_TRUE(until([&] { return late.ended(); }));
    ex.shutdown();
}

TEST_F(Reactor, WaitIsEndedByWakeReactor) {
    fake_reactor reactor(false);
    executor ex{{.workers = 1}};
    ex.attach(reactor);
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(until([&] { return reactor.waiting.load(); }));
        const int before = reactor.waits.load();
        ex.wake_reactor();
        ASSERT_TRUE(until([&] { return reactor.waits.load() > before; }));
    }
    ex.shutdown();
}

TEST_F(Reactor, MayBeAttachedWhileAllWorkersSleep) {
    fake_reactor reactor;
    executor ex{{.workers = 3}};
    ASSERT_TRUE(until([&] { return ex.statistics().sleeping == 3; }));
    ex.attach(reactor);
    EXPECT_TRUE(until([&] { return reactor.waiting.load(); }));
    ex.shutdown();
}

TEST_F(Reactor, IsTheOnlyOne) {
    fake_reactor reactor;
    fake_reactor other;
    executor ex{{.workers = 1, .name = "api"}};
    ex.attach(reactor);
    try {
        ex.attach(other);
        FAIL() << "no error";
    } catch (const misuse_error& e) {
        EXPECT_STREQ(e.what(), "taskscope: executor \"api\" has a reactor already");
    }
    EXPECT_THROW(ex.attach(reactor), misuse_error);
    ex.shutdown();
}

TEST_F(Reactor, HasOneCallerAtATimeAndLosesNoCompletion) {
    fake_reactor reactor;
    executor ex{{.workers = 4}};
    ex.attach(reactor);
    constexpr std::size_t n = 2'000;
    std::vector<async_event> events(n);
    support::tally woken(n);
    auto waits = [&](std::size_t i) -> task<> {
        co_await events[i].wait();
        for (int k = 0; k < 5; ++k) co_await taskscope::yield();  // some work between
        woken.count(i);
    };
    std::vector<std::unique_ptr<launched<void>>> all;
    for (std::size_t i = 0; i < n; ++i) {
        all.push_back(std::make_unique<launched<void>>(ex, waits(i)));
    }
    {
        support::threads posters;
        for (std::size_t t = 0; t < 2; ++t) {
            posters.start([&, t] {
                for (std::size_t i = t; i < n; i += 2) reactor.post(events[i]);
            });
        }
    }
    for (const auto& t : all) ASSERT_TRUE(until([&] { return t->ended(); }));
    EXPECT_TRUE(woken.exactly_once());
    ex.shutdown();
    EXPECT_FALSE(reactor.overlapped.load());
}

}  // namespace
