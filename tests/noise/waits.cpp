// tests/noise/waits.cpp - programs that sleep and are woken: by jobs, timers, blocking calls, I/O, channels.
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/channel.hpp>
#include <taskscope/reactor.hpp>
#include <taskscope/run_blocking.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/task_scope.hpp>

#include <gtest/gtest.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <noise/programs.hpp>
#include <optional>
#include <support/until.hpp>
#include <thread>
#include <utility>
#include <vector>

namespace noise {
namespace {

using namespace std::chrono_literals;
using taskscope::async_event;
using taskscope::channel;
using taskscope::task;
using taskscope::task_scope;

class sleepers : public program_without_timers {
protected:
    void until_all_sleep() {
        while (all_sleep() && ex->statistics().sleeping != workers()) std::this_thread::yield();
    }
};
INSTANTIATE_TEST_SUITE_P(on, sleepers, all_settings, name_of);

TEST_P(sleepers, are_woken_by_a_job_that_is_handed_in) {
    while (again()) {
        for (int i = 0; i < 20; ++i) {
            task_scope s{*ex};
            if (i % 2 == 0) until_all_sleep();
            s.spawn([] {});
            s.blocking_join();
        }
    }
}

TEST_P(sleepers, are_woken_by_a_push) {
    while (again()) {
        async_event go;
        task_scope s{*ex};
        for (int i = 0; i < 8; ++i) s.spawn([&]() -> task<> { co_await go.wait(); });
        until_all_sleep();
        s.spawn([&go] { go.set(); });  // on a worker: makes the others ready in its own deque
        s.blocking_join();
    }
}

TEST_P(sleepers, go_on_when_their_blocking_call_has_returned) {
    while (again()) {
        std::atomic<int> called{0};
        std::atomic<int> went_on{0};
        task_scope s{*ex};
        for (int i = 0; i < 6; ++i) {
            s.spawn([&]() -> task<> {
                const auto call = [&called] { called.fetch_add(1); };
                co_await taskscope::run_blocking(call);
                co_await taskscope::run_blocking(call);
                went_on.fetch_add(1);
            });
        }
        s.blocking_join();
        EXPECT_EQ(called.load(), 12);
        EXPECT_EQ(went_on.load(), 6);
    }
}

task<> send(channel<int>& c, int first, int n) {
    for (int i = first; i < first + n; ++i) {
        const bool sent = co_await c.send(i);
        EXPECT_TRUE(sent);
    }
}

task<> receive(channel<int>& c, std::atomic<long>& sum) {
    for (;;) {
        const std::optional<int> value = co_await c.receive();
        if (!value) break;
        sum.fetch_add(*value);
    }
}

TEST_P(sleepers, get_each_value_of_a_channel_once) {
    while (again()) {
        for (const std::size_t capacity : {0U, 1U, 3U}) {
            channel<int> c(capacity);
            std::atomic<long> sum{0};
            task_scope receivers{*ex};
            task_scope senders{*ex};
            task_scope idlers{*ex};
            for (int i = 0; i < 3; ++i) {
                senders.spawn(send(c, 20 * i, 20));
                receivers.spawn(receive(c, sum));
            }
            idlers.spawn(receive(c, sum));  // is stopped, and takes nothing with it
            idlers.request_stop();
            idlers.blocking_join();
            senders.blocking_join();
            c.close();
            receivers.blocking_join();
            EXPECT_EQ(sum.load(), 59 * 60 / 2);
        }
    }
}

using pairs = sleepers;
INSTANTIATE_TEST_SUITE_P(on, pairs,
                         testing::Combine(testing::Values(2U, 8U),
                                          testing::Values(0U, 64U, maximal), testing::Bool()),
                         name_of);

// Each waits for the other, on a worker of its own.
TEST_P(pairs, of_jobs_wake_a_sleeper_each) {
    while (again()) {
        task_scope s{*ex};
        std::atomic<int> met{0};
        const auto meet = [&met] {
            met.fetch_add(1);
            while (met.load() % 2 != 0) std::this_thread::yield();
        };
        s.spawn(meet);
        s.spawn(meet);
        s.blocking_join();
    }
}

class timers : public program {};
INSTANTIATE_TEST_SUITE_P(on, timers, all_settings, name_of);

TEST_P(timers, fire_or_are_stopped) {
    while (again()) {
        std::atomic<std::uint64_t> fired{0};
        task_scope kept{*ex};
        task_scope stopped{*ex};
        const auto sleep = [&fired](std::chrono::microseconds t) -> task<> {
            co_await taskscope::sleep_for(t);
            fired.fetch_add(1);
        };
        for (int i = 0; i < 16; ++i) {
            kept.spawn(sleep, std::chrono::microseconds(20 * i));
            stopped.spawn(sleep, std::chrono::microseconds(i % 2 == 0 ? 20 * i : 1'000'000'000));
        }
        stopped.request_stop();
        stopped.blocking_join();
        kept.blocking_join();
        EXPECT_EQ(fired.load() + stopped.counts().stopped, 32U);
        EXPECT_EQ(ex->statistics().timers, 0U);
    }
}

/// Completions are events to set; each is told by an eventfd, as a socket tells.
class event_reactor : public taskscope::reactor {
public:
    ~event_reactor() override { close(bell_); }

    bool poll() noexcept override { return run({}); }
    void wait(clock::duration limit) noexcept override { run(limit); }
    void interrupt() noexcept override {
        const std::uint64_t one = 1;
        static_cast<void>(!write(bell_, &one, sizeof(one)));
    }

    void complete(async_event& e) {
        {
            const std::lock_guard lock{mutex_};
            ready_.push_back(&e);
        }
        interrupt();
    }

private:
    bool run(clock::duration limit) noexcept {
        pollfd p{.fd = bell_, .events = POLLIN, .revents = 0};
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
        if (::poll(&p, 1, static_cast<int>(std::min<std::int64_t>(ms, 3'600'000))) != 1)
            return false;
        std::uint64_t rung = 0;
        static_cast<void>(!read(bell_, &rung, sizeof(rung)));
        std::vector<async_event*> now;
        {
            const std::lock_guard lock{mutex_};
            now.swap(ready_);
        }
        for (async_event* e : now) e->set();
        return !now.empty();
    }

    const int bell_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    std::mutex mutex_;
    std::vector<async_event*> ready_;
};

// Not without time-outs: who would wait in the reactor while another worker polls it looks again after 50 us.
class reactors : public program {
protected:
    void TearDown() override {
        end_executor();
        io_.reset();
        program::TearDown();
    }
    std::optional<event_reactor> io_{std::in_place};
};
INSTANTIATE_TEST_SUITE_P(on, reactors, all_settings, name_of);

TEST_P(reactors, complete_what_workers_wait_for) {
    ex->attach(*io_);
    while (again()) {
        async_event events[4];
        task_scope s{*ex};
        for (async_event& e : events) s.spawn([&e]() -> task<> { co_await e.wait(); });
        support::threads others;
        others.start([&] {
            for (async_event& e : events) io_->complete(e);
        });
        s.spawn([] {});
        s.blocking_join();
        others.join();
    }
}

}  // namespace
}  // namespace noise
