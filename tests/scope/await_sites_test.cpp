// tests/scope/await_sites_test.cpp - where children are suspended, and what waits for what up to the root.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/scope_tree.hpp>

#include <array>
#include <atomic>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskscope::test {
namespace {

using support::below;
using support::in_this_file;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using namespace std::chrono_literals;

const child_info& child(const tree_snapshot& tree, const std::string& name) {
    for (const scope_info& s : tree.scopes) {
        for (const child_info& c : s.children) {
            if (c.name == name) return c;
        }
    }
    throw boom("no child " + name);
}

// What they suspend in, and where.

struct sites {
    async_event go;
    std::string leaf;
    std::string middle;
    std::string root;
};

task<> leaf(sites& s) {
    s.leaf = below();
    co_await s.go.wait();
}
task<> middle(sites& s) {
    s.middle = below();
    co_await leaf(s);
}
task<> root(sites& s) {
    s.root = below();
    co_await middle(s);
}

class await_sites : public ledger_test {
protected:
    std::vector<std::string> chain_of_x() {
        return in_this_file(child(snapshot(ex.root()), "x").await_chain);
    }
    std::string place_of_x() { return place(child(snapshot(ex.root()), "x").suspended_at); }

    manual_executor ex{{.trace_awaits = true}};
};

// cases: T390
TEST_F(await_sites, of_a_suspended_child_lead_from_the_leaf_to_its_root) {
    sites s;
    ex.root().spawn({.name = "x"}, root, std::ref(s));
    ex.run_ready();
    EXPECT_EQ(place_of_x(), s.leaf);
    EXPECT_THAT(chain_of_x(), ElementsAre(s.leaf, s.middle, s.root));
    EXPECT_EQ(child(snapshot(ex.root()), "x").awaits_unlisted, 0U);
    s.go.set();
    ex.run_ready();
}

TEST_F(await_sites, without_tracing_are_not_noted) {
    manual_executor plain;
    sites s;
    plain.root().spawn({.name = "x"}, root, std::ref(s));
    plain.run_ready();
    const tree_snapshot tree = snapshot(plain.root());
    EXPECT_EQ(child(tree, "x").suspended_at.line(), 0U);
    EXPECT_THAT(child(tree, "x").await_chain, IsEmpty());
    EXPECT_THAT(dump_tree(plain), Not(HasSubstr("suspended at")));
    s.go.set();
    plain.run_ready();
}

TEST_F(await_sites, of_a_child_that_has_not_begun_are_none) {
    sites s;
    ex.root().spawn({.name = "x"}, root, std::ref(s));
    EXPECT_EQ(child(snapshot(ex.root()), "x").suspended_at.line(), 0U);
    EXPECT_THAT(child(snapshot(ex.root()), "x").await_chain, IsEmpty());
    EXPECT_THAT(dump_tree(ex), Not(HasSubstr("suspended at")));
    s.go.set();
    ex.run_ready();
}

task<> one_after_the_other(sites& a, sites& b) {
    co_await root(a);
    co_await leaf(b);
}

TEST_F(await_sites, are_those_of_the_last_suspension) {
    sites a;
    sites b;
    ex.root().spawn({.name = "x"}, one_after_the_other, std::ref(a), std::ref(b));
    ex.run_ready();
    a.go.set();
    ex.run_ready();
    EXPECT_EQ(place_of_x(), b.leaf);
    EXPECT_THAT(chain_of_x(), SizeIs(2));
    b.go.set();
    ex.run_ready();
}

// Contexts of their own in between.

const task_local<int> number;

task<> through(sites& s, task<> inner) {
    s.root = below();
    co_await std::move(inner);
}
task<> settled_in_time(sites& s) {
    deadline never;
    auto inner = settle_by(never, leaf(s));
    s.root = below();
    (void)co_await std::move(inner);
}
task<> without_a_stop(sites& s) {
    auto inner = stopped_as_optional(leaf(s));
    s.root = below();
    (void)co_await std::move(inner);
}

// cases: T390
TEST_F(await_sites, lead_through_shields_deadlines_locals_and_stops) {
    std::array<sites, 5> s;
    stop_source never;
    ex.root().spawn({.name = "shield"}, through, std::ref(s[0]), shield(leaf(s[0])));
    ex.root().spawn({.name = "local"}, through, std::ref(s[1]), with_local(number, 7, leaf(s[1])));
    ex.root().spawn({.name = "stop"}, through, std::ref(s[2]),
                    stop_when(never.token(), leaf(s[2])));
    ex.root().spawn({.name = "deadline"}, settled_in_time, std::ref(s[3]));
    ex.root().spawn({.name = "optional"}, without_a_stop, std::ref(s[4]));
    ex.run_ready();
    const tree_snapshot tree = snapshot(ex.root());
    std::size_t i = 0;
    for (const char* name : {"shield", "local", "stop", "deadline", "optional"}) {
        EXPECT_THAT(in_this_file(child(tree, name).await_chain), ElementsAre(s[i].leaf, s[i].root))
            << name;
        ++i;
    }
    for (sites& x : s) x.go.set();
    ex.run_ready();
}

task<> fork_both(sites& a, sites& b, std::string& at) {
    auto both = fork_join(leaf(a), middle(b));
    at = below();
    co_await std::move(both);
}

TEST_F(await_sites, of_a_branch_lead_to_the_fork) {
    sites a;
    sites b;
    std::string fork;
    ex.root().spawn({.name = "x"}, fork_both, std::ref(a), std::ref(b), std::ref(fork));
    ex.run_ready();
    EXPECT_THAT(chain_of_x(), ElementsAre(b.leaf, b.middle, fork));  // was suspended last
    a.go.set();
    b.go.set();
    ex.run_ready();
}

task<> open_block(sites& s) {
    auto body = [&s](task_scope&) -> task<> {
        s.middle = below();
        co_await leaf(s);
    };
    s.root = below();
    co_await with_scope("block", body);
}

TEST_F(await_sites, of_a_body_end_there_and_those_of_the_child_that_opened_it_lead_through) {
    sites s;
    ex.root().spawn({.name = "x"}, open_block, std::ref(s));
    ex.run_ready();
    EXPECT_THAT(chain_of_x(), ElementsAre(s.leaf, s.middle, s.root));
    const tree_snapshot tree = snapshot(ex.root());
    ASSERT_THAT(tree.scopes, SizeIs(2));
    ASSERT_THAT(tree.scopes[1].children, SizeIs(1));
    EXPECT_THAT(in_this_file(tree.scopes[1].children[0].await_chain),
                ElementsAre(s.leaf, s.middle));
    s.go.set();
    ex.run_ready();
}

task<> deep(sites& s, int levels) {
    if (levels == 0) {
        co_await leaf(s);
    } else {
        co_await deep(s, levels - 1);
    }
}

TEST_F(await_sites, of_a_deep_chain_are_the_innermost_and_the_number_of_the_others) {
    sites s;
    ex.root().spawn({.name = "x"}, deep, std::ref(s), 100);
    ex.run_ready();
    const tree_snapshot tree = snapshot(ex.root());
    EXPECT_THAT(child(tree, "x").await_chain, SizeIs(12));
    EXPECT_EQ(child(tree, "x").awaits_unlisted, 90U);
    EXPECT_EQ(place(child(tree, "x").suspended_at), s.leaf);
    EXPECT_THAT(dump_tree(ex), HasSubstr(" and 90 more\n"));
    s.go.set();
    ex.run_ready();
}

// One that is deeper than a suspension looks up shows where it was before.
TEST_F(await_sites, of_a_chain_without_end_are_not_noted) {
    sites s;
    ex.root().spawn({.name = "x"}, deep, std::ref(s), 1000);
    ex.run_ready();
    EXPECT_EQ(child(snapshot(ex.root()), "x").suspended_at.line(), 0U);
    s.go.set();
    ex.run_ready();
}

// Every way to be suspended.

struct elsewhere {
    explicit elsewhere(std::coroutine_handle<>& h) noexcept : waiting(&h) {}
    static bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) const noexcept { *waiting = h; }
    static void await_resume() noexcept {}
    std::coroutine_handle<>* waiting;
};

task<> at_a_foreign_awaiter(std::string& at, std::coroutine_handle<>& h) {
    elsewhere e(h);
    at = below();
    co_await e;
}
task<> at_a_sleep(std::string& at) {
    at = below();
    co_await sleep_for(1ms);
}
task<> at_an_event_until(std::string& at, async_event& e) {
    at = below();
    (void)co_await e.wait_until(detail::clock::time_point::max());
}
task<> at_a_mutex(std::string& at, async_mutex& m) {
    at = below();
    auto lock = co_await m.lock();
}
task<> at_a_yield(std::string& at) {
    at = below();
    co_await yield();
}

// cases: T390
TEST_F(await_sites, are_known_for_every_kind_of_wait) {
    std::array<std::string, 5> at;
    std::coroutine_handle<> foreign;
    async_event e;
    async_mutex m;
    auto held = m.try_lock();
    ASSERT_TRUE(held);
    ex.root().spawn({.name = "foreign"}, at_a_foreign_awaiter, std::ref(at[0]), std::ref(foreign));
    ex.root().spawn({.name = "sleep"}, at_a_sleep, std::ref(at[1]));
    ex.root().spawn({.name = "until"}, at_an_event_until, std::ref(at[2]), std::ref(e));
    ex.root().spawn({.name = "mutex"}, at_a_mutex, std::ref(at[3]), std::ref(m));
    ex.root().spawn({.name = "yield"}, at_a_yield, std::ref(at[4]));
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(ex.run_one());
    const tree_snapshot tree = snapshot(ex.root());
    std::size_t i = 0;
    for (const char* name : {"foreign", "sleep", "until", "mutex", "yield"}) {
        EXPECT_EQ(place(child(tree, name).suspended_at), at[i++]) << name;
    }
    foreign.resume();
    e.set();
    held.unlock();
    ex.advance(1ms);
}

struct gate {
    std::atomic<bool> open{false};
    void operator()() { open.wait(false); }
};

task<> at_a_blocking_call(std::string& at, gate& g) {
    at = below();
    co_await run_blocking(std::ref(g));
}

TEST_F(await_sites, are_known_for_blocking_calls) {
    std::string at;
    gate g;
    task_scope scope{ex};
    scope.spawn({.name = "x"}, at_a_blocking_call, std::ref(at), std::ref(g));
    ex.run_ready();
    EXPECT_EQ(place_of_x(), at);
    g.open = true;
    g.open.notify_all();
    scope.blocking_join();
}

TEST_F(await_sites, of_a_deferred_function_are_known) {
    sites s;
    task_scope scope{ex, {.name = "s"}};
    scope.defer({.name = "x"}, root, std::ref(s));
    scope.close();
    ex.root().spawn([&]() -> task<> { co_await scope.join(); });
    ex.run_ready();
    EXPECT_THAT(in_this_file(child(snapshot(scope), "x").await_chain),
                ElementsAre(s.leaf, s.middle, s.root));
    s.go.set();
    ex.run_ready();
}

// Reports.

// cases: T390
TEST_F(await_sites, are_in_the_report_of_a_shutdown) {
    sites s;
    async_event shielded;
    task_scope scope{ex, {.name = "s"}};
    std::string at;
    auto stubborn = [&]() -> task<> {
        at = below();
        co_await wait_shielded(shielded);
    };
    scope.spawn({.name = "x"}, stubborn);
    ex.run_ready();
    const shutdown_report r = scope.blocking_shutdown({.drain = 1ms, .stop = 1ms});
    ASSERT_THAT(r.stragglers, SizeIs(1));
    EXPECT_THAT(place(r.stragglers[0].suspended_at), HasSubstr("support.hpp:"));
    EXPECT_THAT(in_this_file(r.stragglers[0].await_chain), ElementsAre(at));
    EXPECT_THAT(r.text(), HasSubstr(", suspended at support.hpp:"));
    EXPECT_THAT(r.text(), HasSubstr(", awaited at " + at + "\n"));
    shielded.set();
    ex.run_ready();
}

// A task's own.

struct own_chain {
    std::string leaf;
    std::string middle;
    std::string root;
    std::vector<std::string> found;
};

task<> look(own_chain& c) {
    c.leaf = below();
    const std::vector<std::source_location> chain = co_await await_chain();
    c.found = in_this_file(chain);
}
task<> look_in_a_block(own_chain& c) {
    auto body = [&c](task_scope&) -> task<> {
        c.middle = below();
        co_await look(c);
    };
    c.root = below();
    co_await with_scope("block", body);
}
// cases: T391
TEST_F(await_sites, of_a_running_task_lead_through_blocks_to_the_child) {
    own_chain c;
    ex.root().spawn(look_in_a_block, std::ref(c));
    ex.run_ready();
    EXPECT_THAT(c.found, ElementsAre(c.leaf, c.middle, c.root));
}

// cases: T391
TEST_F(await_sites, of_a_running_task_and_of_a_suspended_one_are_found_at_the_same_time) {
    sites s;
    own_chain c;
    ex.root().spawn({.name = "x"}, root, std::ref(s));
    ex.run_ready();
    ex.run(look(c));
    EXPECT_THAT(c.found, ElementsAre(c.leaf));
    EXPECT_THAT(chain_of_x(), ElementsAre(s.leaf, s.middle, s.root));
    s.go.set();
    ex.run_ready();
}

// Readers on other threads.

class await_site_races : public on_workers {};
INSTANTIATE_TEST_SUITE_P(workers, await_site_races, testing::Values(1, 2, 8));

task<> yield_here() { co_await yield(); }
task<> yield_deeper() { co_await yield_here(); }

task<> in_turns(const std::atomic<bool>& over) {
    while (!over.load(std::memory_order_relaxed)) {
        co_await yield_here();
        auto deeper = yield_deeper();
        co_await std::move(deeper);
        auto both = fork_join(yield_here(), yield_deeper());
        co_await std::move(both);
    }
}

// A list is from one suspension: the place below says how long the whole is.
TEST_P(await_site_races, show_whole_chains_of_children_that_run) {
    std::atomic<bool> over{false};
    executor ex{{.workers = GetParam(), .trace_awaits = true}};
    for (int i = 0; i < 4; ++i) ex.root().spawn({.name = "x"}, in_turns, std::cref(over));
    unsigned seen = 0;
    for (int i = 0; i < 200 || seen < 20; ++i) {
        const tree_snapshot tree = snapshot(ex.root());
        for (const child_info& c : tree.scopes.front().children) {
            const std::size_t n = c.await_chain.size();
            if (n == 0) continue;
            ++seen;
            ASSERT_TRUE(n == 2 || n == 3);
            EXPECT_STREQ(c.await_chain[0].function_name(), c.suspended_at.function_name());
            const bool first_is_leaf =
                std::string(c.await_chain[0].function_name()).find("yield_here") !=
                std::string::npos;
            const bool last_is_root =
                std::string(c.await_chain[n - 1].function_name()).find("in_turns") !=
                std::string::npos;
            EXPECT_TRUE(first_is_leaf);
            EXPECT_TRUE(last_is_root);
            if (n == 3) {
                EXPECT_THAT(c.await_chain[1].function_name(), HasSubstr("yield_deeper"));
            }
        }
    }
    over = true;
}

}  // namespace
}  // namespace taskscope::test
