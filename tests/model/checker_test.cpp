// tests/model/checker_test.cpp - planted bugs, each of which the checker must find, beside the right program.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <model/checker/model.hpp>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using enum std::memory_order;
using testing::HasSubstr;
using testing::StartsWith;
using program = std::function<void()>;

model::options all_of(unsigned preemptions) {
    model::options o;
    o.preemptions = preemptions;
    return o;
}

void holds(const program& p) {
    const model::result r = model::explore(p, all_of(2));
    EXPECT_FALSE(r.failed) << r.report;
    EXPECT_TRUE(r.complete);
}

std::string failure(const program& p, unsigned preemptions = 2) {
    return model::explore(p, all_of(preemptions)).what;
}

void futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value) {
    ::syscall(SYS_futex, &word, operation, value, nullptr, nullptr, 0);
}

TEST(Checker, FindsADataRace) {
    const auto pass = [](std::memory_order order) {
        int data = 0;
        std::atomic<bool> ready{false};
        std::thread t([&] {
            data = 1;
            ready.store(true, order);
        });
        if (ready.load(acquire)) model::check(data == 1, "sees the data");
        t.join();
    };
    holds([&] { pass(release); });
    EXPECT_THAT(failure([&] { pass(relaxed); }, 1), StartsWith("data race"));
}

TEST(Checker, TellsBytesOfOneWordApart) {
    holds([] {
        struct {
            bool a = false;
            bool b = false;
        } s;
        std::thread t([&] { s.a = true; });
        s.b = true;
        t.join();
    });
}

TEST(Checker, FindsUseAfterFreeInWhicheverOrder) {
    const auto give_up = [](std::memory_order order) {
        auto* count = new std::atomic<int>(2);
        const auto drop = [=] {
            if (count->fetch_sub(1, order) == 1) delete count;
        };
        std::thread t(drop);
        drop();
        t.join();
    };
    holds([&] { give_up(acq_rel); });
    EXPECT_THAT(failure([&] { give_up(relaxed); }, 0), HasSubstr("freed while another thread"));

    EXPECT_THAT(failure([] {
                    auto* flag = new std::atomic<int>(0);
                    std::thread t([=] {
                        flag->store(1, release);
                        flag->load(relaxed);  // it may be gone
                    });
                    while (flag->load(acquire) == 0) std::this_thread::yield();
                    delete flag;
                    t.join();
                }),
                testing::AnyOf(HasSubstr("use after free"), HasSubstr("freed while")));
}

TEST(Checker, FindsDoubleFreeAndLeak) {
    holds([] { delete new int(1); });
    EXPECT_THAT(failure([] {
                    int* volatile p =
                        new int(1);  // volatile: compilers leave out what comes to nothing
                    delete p;
                    delete p;
                }),
                StartsWith("double free"));
    EXPECT_THAT(failure([] { [[maybe_unused]] int* volatile p = new int(1); }),
                HasSubstr("leaked"));
}

// It may still run when the program, or what it uses, is gone.
TEST(Checker, FindsAThreadThatNobodyWaitsFor) {
    const auto let_go = [] { std::thread([] {}).detach(); };
    EXPECT_THAT(failure(let_go), StartsWith("a thread was detached"));
}

TEST(Checker, FindsADeadlock) {
    const auto lock_two = [](bool same_order) {
        std::mutex a;
        std::mutex b;
        std::thread t([&] {
            const std::lock_guard first(a);
            const std::lock_guard second(b);
        });
        {
            const std::lock_guard first(same_order ? a : b);
            const std::lock_guard second(same_order ? b : a);
        }
        t.join();
    };
    holds([&] { lock_two(true); });
    EXPECT_THAT(failure([&] { lock_two(false); }), StartsWith("deadlock"));
}

TEST(Checker, FindsALostWakeUp) {
    const auto sleep_and_wake = [](bool look_again) {
        std::atomic<std::uint32_t> word{0};
        std::thread t([&] {
            word.store(1, release);
            futex(word, FUTEX_WAKE_PRIVATE, 1);
        });
        if (look_again) {
            while (word.load(acquire) == 0) futex(word, FUTEX_WAIT_PRIVATE, 0);
        } else if (word.load(acquire) == 0) {
            futex(word, FUTEX_WAIT_PRIVATE, word.load(relaxed));
        }
        t.join();
    };
    holds([&] { sleep_and_wake(true); });
    EXPECT_THAT(failure([&] { sleep_and_wake(false); }), StartsWith("deadlock"));
}

TEST(Checker, WakesForNoReason) {
    EXPECT_THAT(failure([] {
                    std::atomic<std::uint32_t> word{0};
                    std::thread t([&] {
                        word.store(1, release);
                        futex(word, FUTEX_WAKE_PRIVATE, 1);
                    });
                    futex(word, FUTEX_WAIT_PRIVATE, 0);
                    model::check(word.load(acquire) == 1, "woken by the other");
                    t.join();
                }),
                HasSubstr("woken by the other"));
}

TEST(Checker, FindsALivelock) {
    EXPECT_THAT(failure([] {
                    std::atomic<int> turn{0};
                    std::thread t([&] {
                        while (turn.load(acquire) != 1) std::this_thread::yield();
                    });
                    t.join();
                }),
                StartsWith("livelock"));
    holds([] {  // two wait for a third, politely
        std::atomic<int> turn{0};
        const auto wait = [&] {
            while (turn.load(acquire) != 1) std::this_thread::yield();
        };
        std::thread a(wait);
        std::thread b(wait);
        turn.store(1, release);
        a.join();
        b.join();
    });
}

TEST(Checker, FindsWhatIsLeftOfAWrongDekker) {
    const auto enter = [](std::memory_order order) {
        std::atomic<int> a{0};
        std::atomic<int> b{0};
        int inside = 0;
        std::thread t([&] {
            a.store(1, order);
            if (b.load(order) == 0) ++inside;
        });
        b.store(1, order);
        if (a.load(order) == 0) ++inside;
        t.join();
    };
    holds([&] { enter(seq_cst); });
    EXPECT_THAT(failure([&] { enter(relaxed); }), StartsWith("data race"));
}

// The bug that Norris and Demsky's checker found in a published deque needs this: two preemptions and a value
// that comes back.
TEST(Checker, FindsAnABA) {
    const auto pop = [](std::atomic<std::uint64_t>& head, std::atomic<int>& next,
                        std::uint64_t tag) {
        std::uint64_t h = head.load(acquire);
        while ((h & 0xff) != 0) {
            const auto n = static_cast<std::uint64_t>(next.load(relaxed));
            if (head.compare_exchange_strong(h, n | ((h & ~std::uint64_t{0xff}) + tag), acq_rel,
                                             acquire)) {
                return static_cast<int>(h & 0xff);
            }
        }
        return 0;
    };
    const auto stack = [&](std::uint64_t tag) {  // elements 1 and 2; 2 below 1
        std::atomic<std::uint64_t> head{1};
        std::atomic<int> next_of_1{2};
        int taken = 0;
        std::thread t([&] { taken = pop(head, next_of_1, tag); });
        const int first = pop(head, next_of_1, tag);
        if (first == 1) {
            std::uint64_t h = head.load(acquire);
            if ((h & 0xff) == 2) {
                // Takes 2 as well, and puts 1 back.
                if (head.compare_exchange_strong(h, (h & ~std::uint64_t{0xff}) + tag, acq_rel,
                                                 acquire)) {
                    next_of_1.store(0, relaxed);
                    std::uint64_t empty = head.load(acquire);
                    if ((empty & 0xff) == 0)
                        head.compare_exchange_strong(empty, (empty | 1) + tag, acq_rel, acquire);
                    t.join();
                    model::check((head.load(acquire) & 0xff) != 2,
                                 "2 is not on the stack any more");
                    return;
                }
            }
        }
        t.join();
    };
    holds([&] { stack(0x100); });
    EXPECT_THAT(failure([&] { stack(0); }), HasSubstr("2 is not on the stack"));
}

TEST(Checker, SeesThroughExceptions) {
    holds([] {
        std::atomic<int> caught{0};
        const auto body = [&] {
            try {
                caught.fetch_add(1, relaxed);
                throw std::runtime_error("x");
            } catch (const std::runtime_error&) {
                caught.fetch_add(1, relaxed);
            }
        };
        std::thread t(body);
        body();
        t.join();
        model::check(caught.load(relaxed) == 4, "each is caught");
    });
}

TEST(Checker, CountsReferencesOfASharedPointer) {
    holds([] {
        auto p = std::make_shared<int>(7);
        std::thread t([q = p] { model::check(*q == 7, "alive"); });
        p.reset();
        t.join();
    });
}

TEST(Checker, RunsAFailureAgainFromItsPathAndItsSeed) {
    const program bad = [] {
        std::atomic<int> x{0};
        std::thread t([&] { x.store(x.load(relaxed) + 1, relaxed); });
        x.store(x.load(relaxed) + 1, relaxed);
        t.join();
        model::check(x.load(relaxed) == 2, "nothing is lost");
    };
    const model::result first = model::explore(bad, all_of(1));
    ASSERT_TRUE(first.failed);
    EXPECT_THAT(first.report, HasSubstr("checker_test.cpp:"));
    const std::size_t at = first.report.find("TASKSCOPE_MODEL_PATH=");
    ASSERT_NE(at, std::string::npos);
    model::options again;
    again.how = model::mode::replay;
    again.path = first.report.substr(at + 21, first.report.find('\n', at) - at - 21);
    EXPECT_EQ(model::explore(bad, again).what, first.what);

    for (const model::mode how : {model::mode::random, model::mode::pct}) {
        model::options o;
        o.how = how;
        o.rounds = 1000;
        const model::result found = model::explore(bad, o);
        ASSERT_TRUE(found.failed);
        const std::size_t seed = found.report.find("seed ");
        ASSERT_NE(seed, std::string::npos);
        o.seed = std::stoull(found.report.substr(seed + 5));
        o.rounds = 1;
        EXPECT_EQ(model::explore(bad, o).what, found.what);
    }
}

TEST(Checker, MovesTheClockWhenNobodyCanGoOn) {
    holds([] {
        using namespace std::chrono;
        const auto start = steady_clock::now();
        std::atomic<std::uint32_t> word{0};
        const timespec limit{5, 0};
        ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &limit, nullptr, 0);
        const auto waited = steady_clock::now() - start;
        model::check(waited == seconds(5) || waited == seconds(0),
                     "all of it, or woken for no reason");
    });
}

}  // namespace
