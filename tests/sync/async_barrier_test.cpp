// tests/sync/async_barrier_test.cpp - phases that end when all have come, and who goes away in between.
// SPDX-License-Identifier: MIT
#include <taskscope/async_barrier.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/manual_executor.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <vector>

namespace {

using support::launched;
using taskscope::async_barrier;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::stop_source;
using taskscope::task;

using AsyncBarrier = support::ledger;
using AsyncBarrierRaces = support::ledger;

task<bool> arrive(async_barrier& b) {
    const bool last = co_await b.arrive_and_wait();
    co_return last;
}

TEST_F(AsyncBarrier, LetsAllGoOnWhenAllHaveArrivedAgainAndAgain) {
    manual_executor ex;
    async_barrier b{3};
    for (int phase = 0; phase < 3; ++phase) {
        launched<bool> first(ex, arrive(b));
        launched<bool> second(ex, arrive(b));
        ex.run_ready();
        EXPECT_FALSE(first.ended() || second.ended());
        launched<bool> third(ex, arrive(b));
        ex.run_ready();
        EXPECT_FALSE(first.take());
        EXPECT_FALSE(second.take());
        EXPECT_TRUE(third.take()) << "one of them is told";
    }
}

TEST_F(AsyncBarrier, ArrivalThatIsStoppedIsTakenBack) {
    manual_executor ex;
    async_barrier b{2};
    launched<bool> first(ex, arrive(b));
    ex.run_ready();
    first.request_stop();
    ex.run_ready();
    EXPECT_TRUE(first.ended() && first.stopped());
    launched<bool> second(ex, arrive(b));
    ex.run_ready();
    EXPECT_FALSE(second.ended()) << "the first does not count any more";
    launched<bool> third(ex, arrive(b));
    ex.run_ready();
    EXPECT_TRUE(second.ended() && third.ended());
}

TEST_F(AsyncBarrier, DoesNotCountArrivalsAfterAStop) {
    manual_executor ex;
    async_barrier b{1};
    stop_source source;
    source.request_stop();
    launched<bool> a(ex, arrive(b), source.token());
    ex.run_ready();
    EXPECT_TRUE(a.stopped());
}

TEST_F(AsyncBarrier, LeaveEndsThePhaseIfOnlyThatOneWasMissing) {
    manual_executor ex;
    async_barrier b{3};
    launched<bool> first(ex, arrive(b));
    launched<bool> second(ex, arrive(b));
    ex.run_ready();
    b.leave();
    ex.run_ready();
    EXPECT_TRUE(first.take());
    EXPECT_FALSE(second.take());

    b.leave();  // nobody waits: no phase ends
    launched<bool> alone(ex, arrive(b));
    ex.run_ready();
    EXPECT_TRUE(alone.take());
}

TEST(AsyncBarrierDeathTest, LeftByMoreThanThereAreTerminates) {
    async_barrier b{1};
    b.leave();
    EXPECT_DEATH(b.leave(), "all participants of an async_barrier have left");
    EXPECT_DEATH(async_barrier{0}, "an async_barrier was made for nobody");
}

// In each phase everybody writes a place of its own, and reads that of its neighbour in the next.
TEST_F(AsyncBarrierRaces, SeparatesPhases) {
    for (const unsigned workers : {1U, 2U, 8U}) {
        executor ex{{.workers = workers}};
        constexpr std::size_t n = 4;
        constexpr int phases = 100;
        async_barrier b{n};
        std::array<int, n> places{};  // not atomic
        std::atomic<int> last{0};
        auto participates = [&](std::size_t i) -> task<> {
            for (int phase = 1; phase <= phases; ++phase) {
                places[i] = phase;
                const bool written = co_await b.arrive_and_wait();
                EXPECT_EQ(places[(i + 1) % n], phase);
                const bool read = co_await b.arrive_and_wait();
                last.fetch_add(static_cast<int>(written) + static_cast<int>(read));
            }
        };
        std::vector<std::unique_ptr<launched<void>>> all;
        for (std::size_t i = 0; i < n; ++i) {
            all.push_back(std::make_unique<launched<void>>(ex, participates(i)));
        }
        ASSERT_TRUE(support::until([&] {
            return std::all_of(all.begin(), all.end(), [](const auto& t) { return t->ended(); });
        }));
        EXPECT_EQ(last.load(), 2 * phases) << "one in each phase";
    }
}

// A participant is stopped and leaves: the others go on, whether it had arrived or not.
TEST_F(AsyncBarrierRaces, GoesOnWithoutThoseWhoLeave) {
    executor ex{{.workers = 2}};
    for (int round = 0; round < 200; ++round) {
        async_barrier b{3};
        auto participates = [&]() -> task<> {
            struct place {
                explicit place(async_barrier& of) : barrier(of) {}
                place(const place&) = delete;
                place& operator=(const place&) = delete;
                ~place() { barrier.leave(); }
                async_barrier& barrier;
            };
            const place mine(b);
            for (int phase = 0; phase < 5; ++phase) co_await b.arrive_and_wait();
        };
        launched<void> x(ex, participates());
        launched<void> y(ex, participates());
        launched<void> z(ex, participates());
        for (int i = round % 8; i > 0; --i) std::this_thread::yield();
        y.request_stop();
        ASSERT_TRUE(support::until([&] { return x.ended() && y.ended() && z.ended(); }));
        EXPECT_FALSE(x.stopped() || z.stopped());
    }
}

}  // namespace
