// tests/sync/wait_list_test.cpp - between a stop's claim and its withdrawal a waiter is in the list, and nobody's.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/wait_list.hpp>
#include <taskscope/manual_executor.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/sequence.hpp>

namespace {

using support::launched;
using support::sequence;
using taskscope::manual_executor;
using taskscope::task;
using taskscope::detail::wait_list;
using taskscope::detail::waiter;
using taskscope::detail::woken_list;

using WaitList = support::ledger;

class visitor;

// A primitive without a mutex, for one thread.
struct line {
    wait_list<visitor> waiting;
    std::function<void()> before_withdrawal = [] {};
};

class visitor final : public waiter {
public:
    explicit visitor(line& l) : line_(l) {}
    static void await_resume() noexcept {}

private:
    bool take_or_join() noexcept override {
        line_.waiting.push_back(*this);
        return false;
    }
    void withdraw() noexcept override {
        line_.before_withdrawal();
        line_.waiting.remove(*this);
    }

    line& line_;
};

task<> visit(line& l, sequence& seen, std::string name) {
    visitor self(l);
    co_await self;
    seen(name);
}

TEST_F(WaitList, GivesWaitersInTheOrderInWhichTheyCame) {
    manual_executor ex;
    line l;
    sequence seen;
    launched<void> a(ex, visit(l, seen, "a"));
    launched<void> b(ex, visit(l, seen, "b"));
    launched<void> c(ex, visit(l, seen, "c"));
    ex.run_ready();
    visitor* const first = l.waiting.claim_one();
    ASSERT_NE(first, nullptr);
    EXPECT_FALSE(l.waiting.remove(*first)) << "it has left";
    woken_list woken;
    woken.add(*first);
    woken.add_all(l.waiting);
    EXPECT_TRUE(l.waiting.empty());
    EXPECT_EQ(l.waiting.claim_one(), nullptr);
    woken.wake();
    ex.run_ready();
    EXPECT_EQ(seen, (sequence{"a", "b", "c"}));
}

TEST_F(WaitList, DoesNotGiveAWaiterThatIsJustBeingStopped) {
    manual_executor ex;
    line l;
    sequence seen;
    launched<void> a(ex, visit(l, seen, "a"));
    launched<void> b(ex, visit(l, seen, "b"));
    ex.run_ready();
    l.before_withdrawal = [&] {
        EXPECT_NE(l.waiting.front(), nullptr) << "it is still in the list";
        visitor* const next = l.waiting.claim_one();
        ASSERT_NE(next, nullptr);
        woken_list::wake(*next);
    };
    a.request_stop();
    ex.run_ready();
    EXPECT_TRUE(a.stopped());
    EXPECT_FALSE(b.stopped());
    EXPECT_EQ(seen, sequence{"b"});
}

TEST_F(WaitList, WaiterThatWasClaimedIsNotStopped) {
    manual_executor ex;
    line l;
    sequence seen;
    bool withdrawn = false;
    l.before_withdrawal = [&] { withdrawn = true; };
    launched<void> a(ex, visit(l, seen, "a"));
    ex.run_ready();
    visitor* const claimed = l.waiting.claim_one();
    a.request_stop();
    ex.run_ready();
    EXPECT_FALSE(a.ended());
    woken_list::wake(*claimed);
    ex.run_ready();
    EXPECT_EQ(seen, sequence{"a"});
    EXPECT_FALSE(withdrawn);
}

TEST_F(WaitList, CanLoseAnyOfItsWaiters) {
    manual_executor ex;
    line l;
    sequence seen;
    int withdrawn = 0;
    l.before_withdrawal = [&] { ++withdrawn; };
    launched<void> a(ex, visit(l, seen, "a"));
    launched<void> b(ex, visit(l, seen, "b"));
    launched<void> c(ex, visit(l, seen, "c"));
    launched<void> d(ex, visit(l, seen, "d"));
    ex.run_ready();
    b.request_stop();  // from the middle
    a.request_stop();  // the first
    d.request_stop();  // the last
    EXPECT_EQ(withdrawn, 3) << "at once, before anything else runs";
    ex.run_ready();
    woken_list woken;
    woken.add_all(l.waiting);
    woken.wake();
    ex.run_ready();
    EXPECT_EQ(seen, sequence{"c"});
}

}  // namespace
