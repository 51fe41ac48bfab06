// tests/stress/steal_storm.cpp - tiny tasks by the hundred million, each exactly once; and nothing at all to do.
// SPDX-License-Identifier: MIT
#include "stress.hpp"

#include <taskscope/taskscope.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

namespace taskscope::test {
namespace {

/// How often each task ran: number, sum and sum of squares of the numbers of those that did, per worker, so
/// that counting does not serialise the workers. One task run twice and another not at all changes a sum.
class ledger {
public:
    void enter(std::uint64_t n) noexcept {
        page& p = pages_[page_of_this_thread()];
        p.count.store(p.count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        p.sum.store(p.sum.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
        p.squares.store(p.squares.load(std::memory_order_relaxed) + n * n,
                        std::memory_order_relaxed);
    }
    void expect_each_once(std::uint64_t tasks) const {
        std::uint64_t count = 0;
        std::uint64_t sum = 0;
        std::uint64_t squares = 0;
        for (const page& p : pages_) {
            count += p.count.load();
            sum += p.sum.load();
            squares += p.squares.load();
        }
        std::uint64_t expected_sum = 0;
        std::uint64_t expected_squares = 0;
        for (std::uint64_t n = 0; n < tasks; ++n) {
            expected_sum += n;
            expected_squares += n * n;  // both wrap, as above
        }
        EXPECT_EQ(count, tasks);
        EXPECT_EQ(sum, expected_sum);
        EXPECT_EQ(squares, expected_squares);
    }

private:
    struct alignas(128) page {
        std::atomic<std::uint64_t> count{0};  // one writer each: a thread
        std::atomic<std::uint64_t> sum{0};
        std::atomic<std::uint64_t> squares{0};
    };

    // noinline: a coroutine may go on on another thread, and compilers keep addresses of thread-locals.
    [[gnu::noinline]] std::size_t page_of_this_thread() noexcept {
        thread_local const ledger* owner = nullptr;
        thread_local std::size_t mine = 0;
        if (owner != this) {
            owner = this;
            mine = next_.fetch_add(1);
        }
        return mine;
    }

    std::array<page, 64> pages_;
    std::atomic<std::size_t> next_{0};
};

class steal_storm : public testing::TestWithParam<unsigned> {};

INSTANTIATE_TEST_SUITE_P(workers, steal_storm, testing::Values(1, 2, 8));

task<> leaf(ledger& l, std::uint64_t n) {
    l.enter(n);
    co_return;
}

// Halves down to single leaves: every inner node is a fork_join of two.
task<> halves(ledger& l, std::uint64_t first, std::uint64_t n) {
    if (n == 1) {
        l.enter(first);
        co_return;
    }
    co_await fork_join(halves(l, first, n / 2), halves(l, first + n / 2, n - n / 2));
}

// cases: T432
TEST_P(steal_storm, a_hundred_million_tiny_tasks_run_exactly_once) {
    // 80 % leaves of binary fork_joins, 20 % children spawned into scopes, from several workers at once.
    const auto total = static_cast<std::uint64_t>(scaled(100'000'000, 1000));
    const std::uint64_t forked = total / 10 * 8;
    const std::uint64_t spawned = total - forked;
    constexpr std::uint64_t batch = 1000;
    const auto book = std::make_unique<ledger>();
    const std::int64_t frames_before = frames().live;
    double seconds = 0;
    statistics figures;
    {
        executor ex{{.workers = GetParam()}};
        const stopwatch watch;
        const auto spawn_batch = [&](std::uint64_t first, std::uint64_t n) -> task<> {
            co_await with_scope([&](task_scope& s) -> task<> {
                for (std::uint64_t i = 0; i < n; ++i) {
                    if (i % 2 == 0) {
                        s.spawn(leaf(*book, first + i));
                    } else {
                        s.spawn([&l = *book, n = first + i] { l.enter(n); });
                    }
                }
                co_return;
            });
        };
        task_scope all{ex};
        all.spawn(halves, std::ref(*book), std::uint64_t{0}, forked);
        for (int part = 0; part < 4; ++part) {
            all.spawn([&, part]() -> task<> {
                const std::uint64_t share = spawned / 4;
                const std::uint64_t begin = forked + static_cast<std::uint64_t>(part) * share;
                const std::uint64_t end = part == 3 ? total : begin + share;
                for (std::uint64_t at = begin; at < end; at += batch) {
                    co_await spawn_batch(at, std::min(batch, end - at));
                    co_await yield();
                }
            });
        }
        all.blocking_join();
        seconds = watch.seconds();
        figures = ex.statistics();
    }
    book->expect_each_once(total);
    EXPECT_EQ(frames().live, frames_before);
    std::printf(
        "[ figure   ] %u workers: %llu tasks in %.2f s, %.1f ns each; %llu jobs, %llu steals\n",
        GetParam(), static_cast<unsigned long long>(total), seconds,
        seconds / static_cast<double>(total) * 1e9, static_cast<unsigned long long>(figures.jobs),
        static_cast<unsigned long long>(figures.steals));
}

TEST_P(steal_storm, injected_by_foreign_threads_run_exactly_once) {
    const auto each = static_cast<std::uint64_t>(scaled(1'000'000, 100));
    const auto book = std::make_unique<ledger>();
    {
        executor ex{{.workers = GetParam()}};
        task_scope s{ex};
        std::vector<std::thread> threads;
        for (std::uint64_t t = 0; t < 4; ++t) {
            threads.emplace_back([&, t] {
                for (std::uint64_t i = 0; i < each; ++i) {
                    s.spawn([&l = *book, n = t * each + i] { l.enter(n); });
                }
            });
        }
        for (std::thread& t : threads) t.join();
        s.blocking_join();
    }
    book->expect_each_once(4 * each);
}

TEST(idle_storm, eight_idle_workers_use_under_ten_milliseconds_of_cpu_in_ten_seconds) {
    executor ex{{.workers = 8}};
    ex.run([]() -> task<> { co_await sleep_for(std::chrono::milliseconds(100)); }());
    const auto before = cpu_time();
    // A clock on the wall is what this test is about.
    std::this_thread::sleep_for(std::chrono::seconds(10));
    const std::chrono::duration<double, std::milli> used = cpu_time() - before;
    std::printf("[ figure   ] 8 idle workers: %.2f ms of CPU in 10 s\n", used.count());
    if (figures_hold) {
        EXPECT_LT(used.count(), 10.0);
    }
}

}  // namespace
}  // namespace taskscope::test
