// tests/sync/gated_ring_test.cpp - a queue for everybody, and for one alone while its gate is closed.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/gated_ring.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <vector>

namespace {

using support::tally;
using taskscope::detail::gated_ring;

bool push(gated_ring<int>& r, int value) { return r.try_push(value); }

int pop(gated_ring<int>& r) {
    std::optional<int> value;
    r.try_pop(value);
    return value.value_or(-1);
}

TEST(GatedRing, HasRoomForExactlySoMany) {
    for (const int capacity : {1, 2, 3, 4, 5, 7, 8, 9}) {
        gated_ring<int> r{static_cast<std::size_t>(capacity)};
        int in = 0;
        int out = 0;
        for (int lap = 0; lap < 3; ++lap) {
            while (push(r, in)) ++in;
            EXPECT_EQ(in - out, capacity);
            EXPECT_EQ(r.size(), static_cast<std::size_t>(capacity));
            EXPECT_EQ(pop(r), out++);
            EXPECT_TRUE(push(r, in++));
            for (int i = 0; i < capacity; ++i) EXPECT_EQ(pop(r), out++);
            EXPECT_EQ(pop(r), -1);
            EXPECT_EQ(r.size(), 0U);
        }
    }
}

TEST(GatedRing, BehindItsGateIsForOneAlone) {
    gated_ring<int> r{2};
    EXPECT_TRUE(push(r, 1));
    r.close_gate();
    r.close_gate();
    EXPECT_FALSE(push(r, 2));
    EXPECT_EQ(pop(r), -1);
    EXPECT_FALSE(r.empty() || r.full());
    int value = 2;
    r.push(value);
    EXPECT_TRUE(r.full());
    EXPECT_EQ(r.size(), 2U);
    EXPECT_EQ(r.pop(), 1);
    EXPECT_EQ(r.pop(), 2);
    EXPECT_TRUE(r.empty());
    value = 3;
    r.push(value);
    r.open_gate();
    EXPECT_EQ(pop(r), 3);
    EXPECT_TRUE(push(r, 4));
    EXPECT_EQ(pop(r), 4);
}

TEST(GatedRing, WithoutRoomIsAlwaysClosed) {
    gated_ring<int> r{0};
    r.open_gate();
    EXPECT_FALSE(push(r, 1));
    EXPECT_EQ(pop(r), -1);
    EXPECT_TRUE(r.empty() && r.full());
}

TEST(GatedRing, LeavesARefusedValueAlone) {
    gated_ring<std::unique_ptr<int>> r{1};
    auto a = std::make_unique<int>(1);
    auto b = std::make_unique<int>(2);
    EXPECT_TRUE(r.try_push(a));
    EXPECT_FALSE(r.try_push(b));
    EXPECT_EQ(a, nullptr);
    EXPECT_NE(b, nullptr);
}

TEST(GatedRing, DestroysWhatIsLeft) {
    support::census values;
    {
        gated_ring<support::citizen> r{3};
        for (int i = 0; i < 3; ++i) {
            support::citizen value(values);
            EXPECT_TRUE(r.try_push(value));
        }
        std::optional<support::citizen> taken;
        EXPECT_TRUE(r.try_pop(taken));
        EXPECT_EQ(values.alive, 3);
    }
    EXPECT_EQ(values.alive, 0);
}

// Two push, two pop, and a fifth closes the gate again and again and moves values on behind it.
TEST(GatedRingRaces, EachValueComesOutOnce) {
    for (const std::size_t capacity : {1U, 3U, 64U}) {
        constexpr std::size_t each = 5'000;
        gated_ring<std::size_t> r{capacity};
        std::mutex gate;
        tally received(2 * each);
        std::atomic<std::size_t> left{2 * each};
        support::threads all;
        for (std::size_t p = 0; p < 2; ++p) {
            all.start([&, p] {
                for (std::size_t i = 0; i < each; ++i) {
                    std::size_t value = p * each + i;
                    while (!r.try_push(value)) std::this_thread::yield();
                }
            });
        }
        auto took = [&](std::size_t value) {
            received.count(value);
            left.fetch_sub(1);
        };
        for (int c = 0; c < 2; ++c) {
            all.start([&] {
                while (left.load() > 0) {
                    std::optional<std::size_t> value;
                    if (r.try_pop(value)) {
                        took(*value);
                    } else {
                        std::this_thread::yield();
                    }
                }
            });
        }
        all.start([&] {
            while (left.load() > 0) {
                {
                    const std::lock_guard lock{gate};
                    r.close_gate();
                    const std::size_t size = r.size();
                    EXPECT_LE(size, capacity);
                    EXPECT_EQ(r.empty(), size == 0);
                    EXPECT_EQ(r.full(), size == capacity);
                    if (!r.empty()) {
                        std::size_t value = r.pop();
                        r.push(value);
                        EXPECT_EQ(r.size(), size);
                        took(r.pop());
                    }
                    r.open_gate();
                }
                std::this_thread::yield();
            }
        });
        all.join();
        EXPECT_TRUE(received.exactly_once());
    }
}

}  // namespace
