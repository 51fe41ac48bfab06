// tests/executor/stop_tree_test.cpp - sources below sources: how far a request reaches, and who may die meanwhile.
// SPDX-License-Identifier: MIT
#include <taskscope/stop_token.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <support/stack.hpp>
#include <support/until.hpp>
#include <vector>

namespace {

using support::rendezvous;
using support::stack_range;
using support::threads;
using support::until;
using taskscope::stop_callback;
using taskscope::stop_source;
using taskscope::stop_token;

// cases: T205
TEST(StopTree, ARequestReachesAllBelowAndNobodyAbove) {
    stop_source root;
    stop_source middle(root.token());
    stop_source sibling(root.token());
    stop_source leaf(middle.token());
    EXPECT_TRUE(middle.request_stop());
    EXPECT_TRUE(middle.stop_requested());
    EXPECT_TRUE(leaf.stop_requested());
    EXPECT_FALSE(root.stop_requested());
    EXPECT_FALSE(sibling.stop_requested());
    EXPECT_TRUE(root.request_stop());
    EXPECT_TRUE(sibling.stop_requested());
    EXPECT_FALSE(leaf.request_stop());
}

TEST(StopTree, ASourceWithoutOneAboveStandsAlone) {
    stop_source alone{stop_token{}};
    EXPECT_FALSE(alone.stop_requested());
    EXPECT_TRUE(alone.request_stop());
}

// cases: T205
TEST(StopTree, ASourceAttachedAfterTheRequestIsStoppedAtOnce) {
    stop_source root;
    root.request_stop();
    stop_source late(root.token());
    EXPECT_TRUE(late.stop_requested());
    EXPECT_FALSE(late.request_stop());
    int calls = 0;
    const stop_callback c(late.token(), [&] { ++calls; });
    EXPECT_EQ(calls, 1);
}

// cases: T205
TEST(StopTree, ADetachedSourceIsNotReached) {
    stop_source root;
    stop_source child(root.token());
    child.detach();
    child.detach();
    root.request_stop();
    EXPECT_FALSE(child.stop_requested());
    EXPECT_TRUE(child.request_stop());
}

// cases: T205
TEST(StopTree, ADestroyedSourceIsNotReached) {
    stop_source root;
    {
        stop_source child(root.token());
        stop_source other(root.token());
    }
    EXPECT_TRUE(root.request_stop());
}

TEST(StopTree, CallbacksBelowRunOnceAlsoWhenTheChildWasStoppedBefore) {
    stop_source root;
    stop_source child(root.token());
    stop_source leaf(child.token());
    int calls = 0;
    const stop_callback c(leaf.token(), [&] { ++calls; });
    child.request_stop();
    EXPECT_EQ(calls, 1);
    root.request_stop();
    EXPECT_EQ(calls, 1);
}

TEST(StopTree, ACallbackMayDestroyASourceOfAnotherBranchBeforeAndAfterItsTurn) {
    stop_source root;
    std::optional<stop_source> early(std::in_place, root.token());
    std::optional<stop_source> first(std::in_place, root.token());
    int destroyed = 0;
    const stop_callback c(root.token(), [&] {
        early.reset();
        first.reset();
        ++destroyed;
    });
    std::optional<stop_source> second(std::in_place, root.token());
    stop_source killer(root.token());
    const stop_callback d(killer.token(), [&] {
        second.reset();
        ++destroyed;
    });
    stop_source last(root.token());
    root.request_stop();
    EXPECT_EQ(destroyed, 2);
    EXPECT_TRUE(last.stop_requested());
}

TEST(StopTree, ACallbackOfAChildMayDestroyItsSiblingsWhicheverTurnIsTheirs) {
    // Three siblings; whoever is called first destroys the two others, which then are not called.
    stop_source root;
    struct family {
        std::optional<stop_source> source;
        std::optional<stop_callback<std::function<void()>>> callback;
    };
    family members[3];
    int calls = 0;
    for (int i = 0; i < 3; ++i) {
        members[i].source.emplace(root.token());
        members[i].callback.emplace(members[i].source->token(), [&members, &calls, i] {
            ++calls;
            for (int k = 0; k < 3; ++k) {
                if (k == i) continue;
                members[k].callback.reset();
                members[k].source.reset();
                // Strangers in the same place. A walk that still knew the dead would come to them.
                members[k].source.emplace();
                members[k].callback.emplace(members[k].source->token(), [&calls] { calls += 100; });
            }
        });
    }
    root.request_stop();
    EXPECT_EQ(calls, 1);
}

using StopTreeDeathTest = testing::Test;

TEST(StopTreeDeathTest, ASourceDestroyedByItsOwnCallbackEndsTheProgramWithAMessage) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            stop_source root;
            std::optional<stop_source> child(std::in_place, root.token());
            const stop_callback c(child->token(), [&] { child.reset(); });
            root.request_stop();
        },
        "taskscope: a stop_source was destroyed by one of its own stop callbacks");
}

constexpr int deep = 100'000;

// cases: T412, H10
TEST(StopTree, ARequestWalksAHundredThousandLevelsOnAFlatStack) {
    std::deque<stop_source> levels;
    stack_range stack;
    int calls = 0;
    auto look = [&] {
        stack.look();
        ++calls;
    };
    std::deque<stop_callback<decltype(look)>> callbacks;
    levels.emplace_back();
    for (int i = 1; i < deep; ++i) {
        const stop_token above = levels.back().token();
        levels.emplace_back(above);
        callbacks.emplace_back(levels.back().token(), look);
    }
    levels.front().request_stop();
    EXPECT_TRUE(levels.back().stop_requested());
    EXPECT_EQ(calls, deep - 1);
    EXPECT_LT(stack.bytes(), std::size_t{4} << 10);
    callbacks.clear();
    while (!levels.empty()) levels.pop_back();  // below before above
}

TEST(StopTree, ARequestReachesTenThousandChildrenOfOneSource) {
    stop_source root;
    std::deque<stop_source> children;
    for (int i = 0; i < 10'000; ++i) children.emplace_back(root.token());
    root.request_stop();
    for (const stop_source& child : children) ASSERT_TRUE(child.stop_requested());
}

// With threads

TEST(StopTree, ASourceIsNotDestroyedWhileARequestOfAnotherThreadPassesThroughIt) {
    stop_source root;
    std::optional<stop_source> child(std::in_place, root.token());
    std::atomic<bool> entered{false};
    std::atomic<bool> destroying{false};
    bool finished = false;  // not atomic: the destructors order it
    auto slow = [&] {
        entered.store(true);
        EXPECT_TRUE(until([&] { return destroying.load(); }));
        for (int i = 0; i < 1'000; ++i) std::this_thread::yield();
        finished = true;
    };
    std::optional<stop_callback<decltype(slow)>> c(std::in_place, child->token(), slow);
    threads other;
    other.start([&] { root.request_stop(); });
    ASSERT_TRUE(until([&] { return entered.load(); }));
    destroying.store(true);
    c.reset();
    child.reset();
    EXPECT_TRUE(finished);
}

TEST(StopTree, ASourceThatWaitsForItsTurnIsTakenOutOfTheWalkOfAnotherThread) {
    // The walk has reached both children when it calls the callback of one of them; the other one's
    // destructor, on our thread, has to wait until the walk is through with it.
    stop_source root;
    std::optional<stop_source> children[2];
    for (auto& child : children) child.emplace(root.token());
    std::atomic<int> in_callback{-1};
    std::atomic<bool> leave{false};
    const auto make = [&](int i) {
        return [&, i] {
            int nobody = -1;
            if (!in_callback.compare_exchange_strong(nobody, i)) return;
            EXPECT_TRUE(until([&] { return leave.load(); }));
        };
    };
    using callback = stop_callback<decltype(make(0))>;
    std::optional<callback> callbacks[2];
    for (int i = 0; i < 2; ++i) callbacks[i].emplace(children[i]->token(), make(i));
    threads other;
    other.start([&] { root.request_stop(); });
    ASSERT_TRUE(until([&] { return in_callback.load() != -1; }));
    const int waiting = 1 - in_callback.load();
    EXPECT_TRUE(children[waiting]->stop_requested()) << "the request shows before the turn comes";
    callbacks[waiting].reset();
    std::atomic<bool> gone{false};
    other.start([&] {
        children[waiting].reset();
        gone.store(true);
    });
    leave.store(true);
    EXPECT_TRUE(until([&] { return gone.load(); }));
}

TEST(StopTree, SourcesComeAndGoWhileARequestPasses) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    for (unsigned round = 0; round < 200; ++round) {
        stop_source root;
        stop_source middle(root.token());
        rendezvous start(3);
        threads others;
        for (unsigned t = 0; t < 2; ++t) {
            others.start([&, t] {
                std::minstd_rand random(seed + 2 * round + t);
                start.meet();
                for (int i = 0; i < 30; ++i) {
                    const bool requested = middle.stop_requested();
                    stop_source own(random() % 2 == 0 ? middle.token() : root.token());
                    stop_source below(own.token());
                    int calls = 0;  // not atomic: the callback's destructor orders it
                    {
                        auto count = [&] { ++calls; };
                        const stop_callback c(below.token(), count);
                        if (random() % 4 == 0) own.detach();
                        if (random() % 4 == 0) own.request_stop();
                    }
                    EXPECT_LE(calls, 1);
                    EXPECT_TRUE(!requested || calls == 1);
                    EXPECT_TRUE(!below.stop_requested() || own.stop_requested());
                }
            });
        }
        start.meet();
        root.request_stop();
        others.join();
        EXPECT_TRUE(middle.stop_requested());
    }
}

}  // namespace
