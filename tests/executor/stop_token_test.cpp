// tests/executor/stop_token_test.cpp - one source: who is called, when, on which thread, and how it ends.
// SPDX-License-Identifier: MIT
#include <taskscope/stop_token.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <support/sequence.hpp>
#include <support/stack.hpp>
#include <support/until.hpp>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using support::rendezvous;
using support::sequence;
using support::stack_range;
using support::threads;
using support::until;
using taskscope::stop_callback;
using taskscope::stop_source;
using taskscope::stop_token;

static_assert(!std::is_copy_constructible_v<stop_source>);
static_assert(std::is_trivially_copyable_v<stop_token>);

/// Counts calls.
struct counts {
    int* calls;
    void operator()() const noexcept { ++*calls; }
};

// cases: T204
TEST(StopToken, WithoutASourceNeverAsksToStop) {
    const stop_token none;
    EXPECT_FALSE(none.stop_possible());
    EXPECT_FALSE(none.stop_requested());
    int calls = 0;
    {
        const stop_callback c(none, counts{&calls});
    }
    EXPECT_EQ(calls, 0);
}

TEST(StopToken, SeesTheRequestOfItsSource) {
    stop_source source;
    const stop_token token = source.token();
    EXPECT_TRUE(token.stop_possible());
    EXPECT_FALSE(token.stop_requested());
    EXPECT_EQ(token, source.token());
    EXPECT_TRUE(source.request_stop());
    EXPECT_TRUE(token.stop_requested());
    EXPECT_FALSE(source.request_stop()) << "only the first request counts";
}

TEST(StopToken, RequestMakesVisibleWhatCameBefore) {
    stop_source source;
    int written = 0;
    threads other;
    other.start([&] {
        written = 1;
        source.request_stop();
    });
    ASSERT_TRUE(until([&] { return source.stop_requested(); }));
    EXPECT_EQ(written, 1);
}

TEST(StopCallback, IsCalledOnceOnTheRequestingThread) {
    stop_source source;
    int calls = 0;
    std::thread::id where;
    const stop_callback c(source.token(), [&] {
        ++calls;
        where = std::this_thread::get_id();
    });
    std::thread other([&] { source.request_stop(); });
    const std::thread::id id = other.get_id();
    other.join();
    source.request_stop();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(where, id);
}

TEST(StopCallback, IsCalledAtOnceWhenTheRequestCameBefore) {
    stop_source source;
    source.request_stop();
    int calls = 0;
    const stop_callback c(source.token(), counts{&calls});
    EXPECT_EQ(calls, 1);
}

// cases: T364
TEST(StopCallback, IsNotCalledAfterItsDestruction) {
    stop_source source;
    std::vector<int> calls(5);
    std::vector<std::unique_ptr<stop_callback<counts>>> all;
    for (int& n : calls) {
        all.push_back(std::make_unique<stop_callback<counts>>(source.token(), counts{&n}));
    }
    all[4].reset();  // one at each end of the list, and one in the middle
    all[2].reset();
    all[0].reset();
    source.request_stop();
    EXPECT_EQ(calls, (std::vector{0, 1, 0, 1, 0}));
}

TEST(StopCallback, MayDestroyItself) {
    stop_source source;
    int calls = 0;
    struct destroys {
        void operator()() const noexcept {
            const auto keep = *this;  // what it destroys includes this function
            ++*keep.calls;
            keep.self->reset();
        }
        int* calls;
        std::optional<stop_callback<destroys>>* self;
    };
    std::optional<stop_callback<destroys>> c;
    c.emplace(source.token(), destroys{&calls, &c});
    int later = 0;
    const stop_callback other(source.token(), counts{&later});
    source.request_stop();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(later, 1);
    EXPECT_FALSE(c);
}

TEST(StopCallback, MayDestroyAnotherThatWasNotCalledYet) {
    stop_source source;
    int calls = 0;
    std::optional<stop_callback<counts>> victims[2];
    victims[0].emplace(source.token(), counts{&calls});
    const stop_callback destroyer(source.token(), [&] {
        // One of the two has its turn before this, whichever way the list is walked.
        const int before = calls;
        victims[0].reset();
        victims[1].reset();
        EXPECT_EQ(before, 1);
    });
    victims[1].emplace(source.token(), counts{&calls});
    source.request_stop();
    EXPECT_EQ(calls, 1);
}

TEST(StopCallback, MayRegisterAnotherWhichIsCalledAtOnce) {
    stop_source source;
    sequence seen;
    const stop_callback outer(source.token(), [&] {
        seen("outer begins");
        const stop_callback inner(source.token(), [&] { seen("inner"); });
        seen("outer ends");
    });
    source.request_stop();
    EXPECT_EQ(seen, (sequence{"outer begins", "inner", "outer ends"}));
}

TEST(StopCallback, MayRequestTheStopAgain) {
    stop_source source;
    bool first = true;
    const stop_callback c(source.token(), [&] { first = source.request_stop(); });
    EXPECT_TRUE(source.request_stop());
    EXPECT_FALSE(first);
}

TEST(StopCallback, IsWaitedForByItsDestructorOnAnotherThread) {
    stop_source source;
    std::atomic<bool> entered{false};
    std::atomic<bool> destroying{false};
    bool finished = false;  // not atomic: the destructor orders it
    auto slow = [&] {
        entered.store(true);
        EXPECT_TRUE(until([&] { return destroying.load(); }));
        for (int i = 0; i < 1'000; ++i) std::this_thread::yield();
        finished = true;
    };
    std::optional<stop_callback<decltype(slow)>> c;
    c.emplace(source.token(), slow);
    threads other;
    other.start([&] { source.request_stop(); });
    ASSERT_TRUE(until([&] { return entered.load(); }));
    destroying.store(true);
    c.reset();
    EXPECT_TRUE(finished);
}

TEST(StopCallback, IsNotWaitedForByTheDestructorOfAnotherOne) {
    stop_source source;
    std::atomic<bool> entered{false};
    std::atomic<bool> leave{false};
    int calls = 0;
    std::optional<stop_callback<counts>> earlier(std::in_place, source.token(), counts{&calls});
    const stop_callback slow(source.token(), [&] {
        entered.store(true);
        EXPECT_TRUE(until([&] { return leave.load(); }));
    });
    std::optional<stop_callback<counts>> later(std::in_place, source.token(), counts{&calls});
    threads other;
    other.start([&] { source.request_stop(); });
    ASSERT_TRUE(until([&] { return entered.load(); }));
    earlier.reset();
    later.reset();
    leave.store(true);
    other.join();
    EXPECT_EQ(calls, 1);
}

TEST(StopSource, AcceptsOneOfManyRequestsAtOnce) {
    for (int round = 0; round < 500; ++round) {
        stop_source source;
        int calls = 0;
        const stop_callback c(source.token(), counts{&calls});
        std::atomic<int> first{0};
        rendezvous start(3);
        {
            threads requesters;
            for (int t = 0; t < 3; ++t) {
                requesters.start([&] {
                    start.meet();
                    if (source.request_stop()) first.fetch_add(1);
                });
            }
        }
        EXPECT_EQ(first.load(), 1);
        EXPECT_EQ(calls, 1);
    }
}

// cases: T412, H6
TEST(StopSource, CallsEveryCallbackThatRegistersWhileItIsRequested) {
    for (int round = 0; round < 300; ++round) {
        stop_source source;
        rendezvous start(3);
        std::atomic<int> calls{0};
        constexpr int each = 20;
        auto count = [&calls] { calls.fetch_add(1); };
        using callback = stop_callback<decltype(count)>;
        {
            threads others;
            for (int t = 0; t < 2; ++t) {
                others.start([&] {
                    std::vector<std::unique_ptr<callback>> mine;
                    start.meet();
                    for (int i = 0; i < each; ++i) {
                        mine.push_back(std::make_unique<callback>(source.token(), count));
                    }
                    // Their destructors wait; until the request has passed they must not run.
                    EXPECT_TRUE(until([&] { return calls.load() == 2 * each; }));
                });
            }
            start.meet();
            source.request_stop();
        }
        EXPECT_EQ(calls.load(), 2 * each);
    }
}

// cases: H6
TEST(StopSource, NeverCallsACallbackWhoseDestructorHasReturned) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    for (int round = 0; round < 300; ++round) {
        stop_source source;
        rendezvous start(3);
        threads others;
        for (unsigned t = 0; t < 2; ++t) {
            others.start([&, t] {
                std::minstd_rand random(seed + static_cast<unsigned>(round) * 2 + t);
                start.meet();
                for (int i = 0; i < 50; ++i) {
                    // Written without synchronization: a late call would be a race and a wrong count.
                    int calls = 0;
                    std::optional<stop_callback<counts>> a(std::in_place, source.token(),
                                                           counts{&calls});
                    int other_calls = 0;
                    const stop_callback b(source.token(), counts{&other_calls});
                    if (random() % 2 == 0) std::this_thread::yield();
                    a.reset();
                    const int after = calls;
                    EXPECT_LE(after, 1);
                    calls = 0;
                    EXPECT_EQ(calls, 0);
                }
            });
        }
        start.meet();
        source.request_stop();
    }
}

}  // namespace
