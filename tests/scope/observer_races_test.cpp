// tests/scope/observer_races_test.cpp - observers on real workers: they come and go while children run.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace {

using namespace taskscope;
using namespace taskscope::test;
using namespace std::chrono_literals;

struct thread_log final : observer {
    void worker_started(unsigned w) override {
        const std::lock_guard lock{mutex};
        EXPECT_TRUE(begun.emplace(w, std::this_thread::get_id()).second) << "once";
    }
    void worker_ended(unsigned w) override {
        const std::lock_guard lock{mutex};
        EXPECT_TRUE(ended.emplace(w, std::this_thread::get_id()).second) << "once";
    }
    void child_started(const observed_child&, unsigned w) override {
        const std::lock_guard lock{mutex};
        EXPECT_EQ(begun[w], std::this_thread::get_id()) << "it comes first";
    }
    std::mutex mutex;
    std::map<unsigned, std::thread::id> begun;
    std::map<unsigned, std::thread::id> ended;
};

class observers_on : public on_workers {};

// cases: T435
TEST_P(observers_on, each_worker_is_told_to_begin_and_to_end_once_on_its_own_thread) {
    const auto log = std::make_shared<thread_log>();
    observation o;
    {
        executor ex{{.workers = GetParam()}};
        o = observe(ex, log);
        for (int i = 0; i < 200; ++i) ex.root().spawn([]() -> task<> { co_await yield(); });
    }
    EXPECT_FALSE(log->begun.empty());
    EXPECT_EQ(log->begun, log->ended);
}

struct tally_of_names final : observer {
    void child_spawned(observed_child& c) override { letters += c.name().size(); }
    std::atomic<std::size_t> letters{0};
};

/// Counts, and is gone when it should be.
struct tally final : observer {
    ~tally() override { alive = false; }
    void child_spawned(observed_child& c) override {
        in();
        c.emplace_slot<int>(0);
    }
    void child_started(const observed_child& c, unsigned) override { step(c, 0, 1); }
    void child_suspended(const observed_child& c, unsigned, std::source_location) override {
        step(c, 1, 2);
    }
    void child_resumed(const observed_child& c, unsigned) override { step(c, 2, 1); }
    void child_completed(const observed_child& c, const child_end&) override { step(c, 1, 3); }
    void step(const observed_child& c, int from, int to) {
        in();
        EXPECT_EQ(*c.slot<int>(), from) << "the events of a child come one after the other";
        *c.slot<int>() = to;  // plain: they are ordered
    }
    void in() const { EXPECT_TRUE(alive) << "called after it was removed"; }
    std::atomic<bool> alive{true};
};

TEST_P(observers_on, come_and_go_while_children_run_and_are_not_called_afterwards) {
    std::atomic<bool> over{false};
    std::atomic<int> live{0};
    const auto work = [&]() -> task<> {
        co_await yield();
        co_await sleep_for(1us);
        const auto inner = [](task_scope& s) -> task<> {
            s.spawn([]() -> task<> { co_await yield(); });
            co_return;
        };
        co_await with_scope(inner);
        --live;
    };
    executor ex{{.workers = GetParam()}};  // its children use what is above
    const auto load = [&] {
        while (!over) {
            if (live > 100) {
                std::this_thread::yield();
                continue;
            }
            ++live;
            ex.root().spawn([&work] { return work(); });
        }
    };
    std::thread outside(load);
    const auto change = [&] {
        for (int i = 0; i < 50; ++i) {
            auto who = std::make_shared<tally>();
            const std::weak_ptr<tally> gone = who;
            observation o = observe(ex, who);
            const observation another = observe(ex, std::make_shared<tally>());
            for (int k = 0; k < 5; ++k) std::this_thread::yield();
            o.remove();
            who->alive = false;
            who.reset();
            EXPECT_TRUE(gone.expired()) << "nobody holds it any more";
        }
    };
    std::thread changer(change);
    change();
    changer.join();
    over = true;
    outside.join();
}

TEST_P(observers_on, branches_that_were_stolen_balance_their_steps_on_each_worker) {
    // On each worker it is told to begin with a child, or go on, and then to let it go or that it ended.
    struct balance final : observer {
        explicit balance(unsigned workers) : busy(workers) {}
        void child_started(const observed_child&, unsigned w) override { enter(w); }
        void child_resumed(const observed_child&, unsigned w) override { enter(w); }
        void child_suspended(const observed_child&, unsigned w, std::source_location) override {
            leave(w);
        }
        void child_completed(const observed_child&, const child_end& e) override {
            leave(e.worker);
        }
        void enter(unsigned w) {
            EXPECT_EQ(busy[w], 0);
            busy[w] = 1;
            ++steps;
        }
        void leave(unsigned w) {
            EXPECT_EQ(busy[w], 1);
            busy[w] = 0;
        }
        std::vector<int> busy;  // each by its worker
        std::atomic<int> steps{0};
    };
    struct fib {
        static task<int> of(int n) {
            if (n < 2) co_return n;
            if (n == 10) co_await yield();
            auto [a, b] = co_await fork_join(of(n - 1), of(n - 2));
            co_return a + b;
        }
    };
    executor ex{{.workers = GetParam()}};
    const auto b = std::make_shared<balance>(GetParam());
    observation o = observe(ex, b);
    for (int i = 0; i < 20; ++i) {
        auto h = ex.root().spawn_future([] { return fib::of(16); });
        EXPECT_EQ(ex.run(std::move(h).as_task()), 987);
    }
    ex.shutdown();
    EXPECT_GE(b->steps, 20);
    for (const int busy : b->busy) EXPECT_EQ(busy, 0);
}

// A record has no name, or gets one that moves, when observers are told of it: a dump must not look at that.
TEST_P(observers_on, are_told_of_children_while_others_dump) {
    executor ex{{.workers = GetParam()}};
    const observation o = observe(ex, std::make_shared<tally_of_names>());
    std::atomic<bool> over{false};
    std::thread looker([&] {
        while (!over) EXPECT_FALSE(dump(ex.root()).empty());
    });
    task_scope s{ex};
    for (int i = 0; i < 2000; ++i) {
        s.spawn([]() -> task<> { co_await yield(); });
        s.spawn(spawn_options{.name = "a name that needs memory of its own"}, [] {});
    }
    s.blocking_join();
    over = true;
    looker.join();
}

INSTANTIATE_TEST_SUITE_P(workers, observers_on, testing::Values(1U, 2U, 4U));

}  // namespace
