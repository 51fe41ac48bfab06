// tests/net/use_task_stop_test.cpp - stops of tasks that await Asio's operations, and races with completion.
// SPDX-License-Identifier: MIT
#include "loopback.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/compose.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace taskscope::test {
namespace {

class use_task_stop : public on_workers {};

/// Counts the tasks that go on after their operation, and those that end in whichever way.
struct score {
    std::atomic<int> waiting{0};
    std::atomic<int> went_on{0};
    std::atomic<int> ended{0};
};
struct counted_end {
    explicit counted_end(score& s) : score_(s) { ++score_.waiting; }
    ~counted_end() { ++score_.ended; }
    score& score_;
};

TEST_P(use_task_stop, ends_all_pending_operations) {
    constexpr int n = 30;
    executor ex{{.workers = GetParam()}};
    score all;
    tcp::acceptor acceptor = listen(ex);
    const auto accepts = [&]() -> task<> {
        counted_end e(all);
        co_await acceptor.async_accept(use_task);
        ++all.went_on;
    };
    const auto waits = [&]() -> task<> {
        counted_end e(all);
        co_await wait_for(ex, forever);
        ++all.went_on;
    };
    const auto reads_some = [&]() -> task<> {
        connection c(ex);
        counted_end e(all);
        char data;
        co_await c.near.async_read_some(asio::buffer(&data, 1), use_task);
        ++all.went_on;
    };
    const auto reads_all = [&]() -> task<> {
        connection c(ex);
        counted_end e(all);
        std::array<char, 10> data;
        co_await asio::async_read(c.near, asio::buffer(data), use_task);
        ++all.went_on;
    };
    const auto writes = [&]() -> task<> {
        connection c(ex);
        counted_end e(all);
        const std::vector<char> too_much(std::size_t{64} << 20);
        co_await asio::async_write(c.near, asio::buffer(too_much), use_task);
        ++all.went_on;
    };
    task_scope s{ex};
    s.spawn(accepts);
    s.spawn(writes);
    for (int i = 0; i < n; ++i) {
        s.spawn(waits);
        s.spawn(reads_some);
        s.spawn(reads_all);
    }
    ASSERT_TRUE(support::until([&] { return all.waiting == 3 * n + 2; }));
    s.request_stop();
    s.blocking_join();
    EXPECT_EQ(s.counts().stopped, 3U * n + 2);
    EXPECT_EQ(all.went_on, 0);
    EXPECT_EQ(all.ended, 3 * n + 2);
}

TEST_P(use_task_stop, wakes_the_worker_that_waits_for_io) {
    executor ex{{.workers = GetParam()}};
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 40; ++i) {
        task_scope s{ex};
        s.spawn(wait_for(ex, forever));
        ASSERT_TRUE(support::until([&] { return ex.statistics().sleeping == ex.workers(); }));
        s.request_stop();
        s.blocking_join();
        EXPECT_EQ(s.counts().stopped, 1U);
    }
    // Each stop that had to wait for the driver to wake by itself would cost half a second.
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 15s);
}

TEST_P(use_task_stop, that_was_requested_before_starts_nothing) {
    executor ex{{.workers = GetParam()}};
    std::atomic<bool> started{false};
    task_scope s{ex};
    const auto body = [&]() -> task<> {
        s.request_stop();
        const auto give = [&](auto handler) {
            started = true;
            std::move(handler)(1);
        };
        co_await start<void(int)>(give);
        ADD_FAILURE() << "went on";
    };
    s.spawn(body);
    s.blocking_join();
    EXPECT_FALSE(started);
    EXPECT_EQ(s.counts().stopped, 1U);
}

TEST_P(use_task_stop, leaves_the_result_of_an_operation_that_is_faster) {
    executor ex{{.workers = GetParam()}};
    std::atomic<int> got{0};
    task_scope s{ex};
    const auto body = [&]() -> task<> {
        const auto give = [&](auto handler) {
            s.request_stop();
            std::move(handler)(error_code(), 1);
        };
        const auto [error, n] = co_await start<void(error_code, int)>(give);
        got = n;
    };
    s.spawn(body);
    s.blocking_join();
    EXPECT_EQ(got, 1);
    EXPECT_EQ(s.counts().stopped, 0U);
}

/// An operation that ends when it is told to, from any thread: by complete(), or if it `listens` by its slot.
class by_hand {
public:
    explicit by_hand(bool listens) : listens_(listens) {}

    /// Whether the operation has been started: from then on it may be completed.
    bool pending() const { return pending_.load(std::memory_order_acquire); }
    void complete(error_code e = {}) { complete_(e); }

    auto wait() {
        return start<void(error_code)>([this](auto handler) { begin(std::move(handler)); });
    }

private:
    template <class Handler>
    struct shared {
        explicit shared(Handler h) : handler(std::move(h)) {}
        void complete(error_code e) {
            if (!completed.exchange(true)) std::move(handler)(e);
        }
        Handler handler;
        std::atomic<bool> completed{false};
    };

    template <class Handler>
    void begin(Handler h) {
        auto op = std::make_shared<shared<Handler>>(std::move(h));
        auto slot = asio::get_associated_cancellation_slot(op->handler);
        if (listens_) {
            slot.assign(
                [op](asio::cancellation_type) { op->complete(asio::error::operation_aborted); });
        }
        complete_ = [op](error_code e) { op->complete(e); };
        pending_.store(true, std::memory_order_release);
    }

    bool listens_;
    std::function<void(error_code)> complete_;
    std::atomic<bool> pending_{false};
};

TEST_P(use_task_stop, waits_for_an_operation_that_cannot_be_cancelled) {
    executor ex{{.workers = GetParam()}};
    score all;
    by_hand stubborn(false);
    task_scope s{ex};
    const auto body = [&]() -> task<> {
        const error_code error = co_await stubborn.wait();
        EXPECT_FALSE(error);
        ++all.went_on;
    };
    s.spawn(body);
    ASSERT_TRUE(support::until([&] { return stubborn.pending(); }));
    s.request_stop();
    for (int i = 0; i < 10; ++i) ex.run(wait_for(ex, 1us));
    EXPECT_EQ(s.counts().live, 1U);
    stubborn.complete();
    s.blocking_join();
    EXPECT_EQ(all.went_on, 1);
    EXPECT_EQ(s.counts().stopped, 0U);
}

// What Beast's composed operations do: told to end between two steps, they go on with the next.
TEST_P(use_task_stop, ends_a_composed_operation_that_was_told_between_two_steps) {
    executor ex{{.workers = GetParam()}};
    asio::steady_timer step(net::context(ex), 1ms);
    asio::steady_timer between(net::context(ex), 20ms);
    std::atomic<int> steps{0};
    task_scope s{ex};
    const auto body = [&]() -> task<> {
        co_await asio::async_compose<const net::use_task_t&, void(error_code)>(
            [&](auto& self, error_code error = {}) {
                switch (steps++) {
                    case 0:
                        step.async_wait(std::move(self));
                        break;
                    case 1:
                        s.request_stop();
                        // Not cancellable, and long enough for the stop to have come and gone.
                        between.async_wait(
                            [self = std::move(self)](error_code e) mutable { self(e); });
                        break;
                    case 2:
                        EXPECT_FALSE(error);
                        step.expires_after(forever);
                        step.async_wait(std::move(self));
                        break;
                    case 3:
                        self.complete(error);
                        break;
                }
            },
            use_task, step);
        ADD_FAILURE() << "went on";
    };
    s.spawn(body);
    s.blocking_join();
    EXPECT_EQ(steps, 4);
    EXPECT_EQ(s.counts().stopped, 1U);
}

// Both at the same time: each operation completes exactly once, with its value or as stopped.

TEST_P(use_task_stop, races_with_timers_that_expire) {
    constexpr int rounds = 200;
    constexpr int operations = 8;
    executor ex{{.workers = GetParam()}};
    score all;
    std::uint64_t stopped = 0;
    for (int round = 0; round < rounds; ++round) {
        task_scope s{ex};
        const auto waits = [&](int i) -> task<> {
            counted_end e(all);
            const error_code error = co_await wait_for(ex, std::chrono::microseconds(15 * i));
            EXPECT_FALSE(error);
            ++all.went_on;
        };
        for (int i = 0; i < operations; ++i) s.spawn(waits, i);
        // In one round of three nobody is let begin first, in the others a varying number.
        const int begun = all.ended + 1 + round % operations;
        if (round % 3 != 0) {
            (void)support::until([&] { return all.waiting >= begun || s.counts().live == 0; });
        }
        s.request_stop();
        s.blocking_join();
        stopped += s.counts().stopped;
        EXPECT_EQ(s.counts().failed, 0U);
    }
    EXPECT_EQ(all.ended, all.waiting);
    EXPECT_EQ(static_cast<std::uint64_t>(all.went_on) + stopped, rounds * operations);
}

TEST_P(use_task_stop, races_with_a_completion_on_another_thread) {
    constexpr int rounds = 2'000;
    executor ex{{.workers = GetParam()}};
    net::context(ex);
    score all;
    std::uint64_t stopped = 0;
    std::atomic<by_hand*> current{nullptr};
    support::rendezvous both(2);
    support::threads completer;
    completer.start([&] {
        for (int i = 0; i < rounds; ++i) {
            both.meet();
            current.load()->complete();
            both.meet();
        }
    });
    for (int i = 0; i < rounds; ++i) {
        by_hand operation(true);
        task_scope s{ex};
        const auto body = [&]() -> task<> {
            counted_end e(all);
            const error_code error = co_await operation.wait();
            EXPECT_FALSE(error);
            ++all.went_on;
        };
        s.spawn(body);
        ASSERT_TRUE(support::until([&] { return operation.pending(); }));
        current = &operation;
        both.meet();
        s.request_stop();
        both.meet();
        s.blocking_join();
        stopped += s.counts().stopped;
    }
    completer.join();
    EXPECT_EQ(all.ended, rounds);
    EXPECT_EQ(static_cast<std::uint64_t>(all.went_on) + stopped, rounds);
}

INSTANTIATE_TEST_SUITE_P(workers, use_task_stop, testing::Values(1U, 2U, 8U));

}  // namespace
}  // namespace taskscope::test
