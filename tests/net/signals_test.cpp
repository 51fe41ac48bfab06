// tests/net/signals_test.cpp - signals that this process sends to itself.
// SPDX-License-Identifier: MIT
#include "loopback.hpp"

#include <taskscope/net/signals.hpp>

#include <signal.h>
#include <unistd.h>

#include <system_error>

namespace taskscope::test {
namespace {

using signals = support::ledger;

void send_to_self(int number) { ASSERT_EQ(kill(getpid(), number), 0); }

bool is_caught(int number) {
    struct sigaction now = {};
    EXPECT_EQ(sigaction(number, nullptr, &now), 0);
    return now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN;
}

TEST_F(signals, a_signal_wakes_who_waits_for_it) {
    executor ex{{.workers = 2}};
    net::signal_set quit(ex, SIGINT, SIGTERM);
    task_scope s{ex};
    auto waiting = s.spawn_future(quit.wait());
    send_to_self(SIGTERM);
    const auto get = [&]() -> task<int> { co_return co_await std::move(waiting); };
    EXPECT_EQ(run(ex, get), SIGTERM);
    s.blocking_join();
}

TEST_F(signals, signals_are_kept_while_nobody_waits) {
    executor ex{{.workers = 1}};
    net::signal_set set(ex, SIGUSR1, SIGUSR2);
    send_to_self(SIGUSR1);
    EXPECT_EQ(ex.run(set.wait()), SIGUSR1);
    send_to_self(SIGUSR2);
    EXPECT_EQ(ex.run(set.wait()), SIGUSR2);
}

TEST_F(signals, every_set_gets_the_signal) {
    executor ex{{.workers = 1}};
    executor other{{.workers = 1}};
    net::signal_set a(ex, SIGUSR1);
    net::signal_set b(ex, SIGUSR1, SIGUSR2);
    net::signal_set c(other, SIGUSR1);
    send_to_self(SIGUSR1);
    EXPECT_EQ(ex.run(a.wait()), SIGUSR1);
    EXPECT_EQ(ex.run(b.wait()), SIGUSR1);
    EXPECT_EQ(other.run(c.wait()), SIGUSR1);
}

TEST_F(signals, with_the_last_set_the_default_action_is_back) {
    executor ex{{.workers = 1}};
    EXPECT_FALSE(is_caught(SIGUSR1));
    {
        net::signal_set a(ex, SIGUSR1);
        EXPECT_TRUE(is_caught(SIGUSR1));
    }
    EXPECT_FALSE(is_caught(SIGUSR1));
}

TEST_F(signals, a_stop_ends_the_wait_and_keeps_the_signals_that_come_later) {
    executor ex{{.workers = 2}};
    net::signal_set set(ex, SIGUSR1);
    task_scope s{ex};
    s.spawn(set.wait());
    s.request_stop();
    s.blocking_join();
    EXPECT_EQ(s.counts().stopped, 1U);
    send_to_self(SIGUSR1);
    EXPECT_EQ(ex.run(set.wait()), SIGUSR1);
}

TEST_F(signals, a_signal_that_cannot_be_caught_is_refused) {
    executor ex{{.workers = 1}};
    try {
        net::signal_set set(ex, SIGTERM, SIGKILL);
        FAIL() << "no exception";
    } catch (const std::system_error& e) {
        EXPECT_THAT(e.what(), testing::HasSubstr("taskscope: cannot catch signal 9"));
    }
    EXPECT_FALSE(is_caught(SIGTERM));
}

TEST_F(signals, wait_for_signal_catches_it_while_it_waits) {
    executor ex{{.workers = 2}};
    // Asio's pipe for signals is made here: ThreadSanitizer does not know that sigaction() would publish it.
    net::signal_set makes_the_pipe(ex, SIGHUP);
    task_scope s{ex};
    auto waiting = s.spawn_future(net::wait_for_signal(SIGUSR1, SIGUSR2));
    ASSERT_TRUE(support::until([] { return is_caught(SIGUSR1) && is_caught(SIGUSR2); }));
    send_to_self(SIGUSR2);
    const auto get = [&]() -> task<int> { co_return co_await std::move(waiting); };
    EXPECT_EQ(run(ex, get), SIGUSR2);
    s.blocking_join();
    EXPECT_FALSE(is_caught(SIGUSR1));
}

// The signal comes while the thread that the kernel prefers is about to sleep in run(). What is not atomic with the
// sleep would lose it.
TEST_F(signals, a_signal_is_not_lost_while_the_main_thread_falls_asleep) {
    executor ex{{.workers = 1}};
    net::signal_set set(ex, SIGUSR1);
    for (int i = 0; i < 20000; ++i) {
        const auto main = [&, i]() -> task<int> {
            for (int spin = 0; spin < i % 100; ++spin) (void)ex.now();
            send_to_self(SIGUSR1);
            co_return co_await set.wait();
        };
        ASSERT_EQ(run(ex, main), SIGUSR1);
    }
}

// cases: T347, S52
TEST_F(signals, a_signal_starts_an_orderly_shutdown) {
    executor ex{{.workers = 2}};
    net::context(ex);
    task_scope app{ex, {.name = "app"}};
    for (int i = 0; i < 10; ++i) app.spawn(wait_for(ex, forever));
    net::signal_set quit(ex, SIGTERM);
    const auto main = [&]() -> task<> {
        co_await quit.wait();
        shutdown_limits at_once;
        at_once.drain = 0s;
        at_once.stop = 30s;
        co_await app.shutdown(at_once);
    };
    send_to_self(SIGTERM);
    run(ex, main);
    EXPECT_TRUE(app.has_ended());
    EXPECT_EQ(app.counts().stopped, 10U);
}

}  // namespace
}  // namespace taskscope::test
