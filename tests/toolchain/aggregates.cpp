// tests/toolchain/aggregates.cpp - an aggregate made in a co_await expression is destroyed once.
// SPDX-License-Identifier: MIT
//
// g++ 12 copies such an aggregate bytewise into the frame and destroys both, unless all its members
// are trivially copyable. A constructor, or a statement without co_await, helps.
#include "probe.hpp"

#include <array>
#include <chrono>
#include <functional>

struct pair_of {
    tracked a;
    tracked b;
};
task<int> sum(pair_of p) {
    co_await hop{};
    co_return p.a.get() + p.b.get();
}

PROBE(argument_by_type_and_braces, 3) {
    int r = co_await sum(pair_of{tracked(1), tracked(2)});
    co_return r;
}

PROBE(argument_by_braces, 3) {
    int r = co_await sum({tracked(1), tracked(2)});
    co_return r;
}

PROBE(argument_by_designators, 3) {
    int r = co_await sum({.a = 1, .b = 2});
    co_return r;
}

task<int> sum_array(std::array<tracked, 2> a) {
    co_await hop{};
    co_return a[0].get() + a[1].get();
}

PROBE(argument_is_a_std_array, 3) { co_return co_await sum_array({tracked(1), tracked(2)}); }

struct rich_options {
    std::function<int()> f;
    std::string name;
    int priority = 0;
};
task<int> with_rich_options(rich_options o) {
    co_await hop{};
    EXPECT(o.name.size() > 20);
    co_return o.f();
}

PROBE(options_with_string_and_function, 1) {
    tracked t(1);
    int r = co_await with_rich_options(
        {.f = [t] { return t.get(); }, .name = "a rather long option name string", .priority = 3});
    co_return r;
}

struct trivial_options {
    std::chrono::milliseconds timeout{0};
    std::string_view name{};
    int priority = 0;
};
task<int> with_trivial_options(trivial_options o) {
    co_await hop{};
    EXPECT(o.name == "abc");
    co_return int(o.timeout.count()) + o.priority;
}

PROBE(options_with_trivial_members, 8) {
    using namespace std::chrono_literals;
    co_return co_await with_trivial_options({.timeout = 5ms, .name = "abc", .priority = 3});
}

struct named_options {
    tracked name;
    int priority = 0;
};
task<int> with_options_ref(const named_options& o) {
    co_await hop{};
    co_return o.name.get();
}
int with_options_now(named_options o) { return o.name.get(); }

PROBE(argument_by_const_reference, 1) {
    co_return co_await with_options_ref(named_options{tracked(1), 3});
}

PROBE(statement_without_await, 1) {
    co_await hop{};
    int one = with_options_now({tracked(1), 3});
    auto f = [t = tracked(1)] { return t.get(); };
    int other = [t = tracked(1)] { return t.get(); }();
    co_await hop{};
    co_return one == other&& f() == 1;
}

// Built from the results of awaits.

PROBE(members_are_awaited, 3) {
    pair_of p{co_await make(1), co_await make(2)};
    co_return p.a.get() + p.b.get();
}

struct three_kinds {
    tracked a;
    std::string s;
    int c;
};

PROBE(designated_members_are_awaited, 4) {
    three_kinds k{.a = co_await make(1),
                  .s = std::string("some long string that is on the heap!!"),
                  .c = co_await number(3)};
    co_return k.a.get() + k.c;
}

struct number_and_pointer {
    int a;
    std::unique_ptr<tracked> p;
};

PROBE(one_member_is_awaited, 3) {
    number_and_pointer n{co_await number(1), std::make_unique<tracked>(2)};
    co_return n.a + n.p->get();
}

struct with_constructor {
    tracked a;
    int b;
    with_constructor(tracked x, int y) : a(std::move(x)), b(y) {}
};
task<with_constructor> by_braces() {
    co_return with_constructor{co_await make(1), co_await number(2)};
}
task<with_constructor> by_parens() {
    co_return with_constructor(co_await make(1), co_await number(2));
}

PROBE(constructor_arguments_are_awaited, 3) {
    auto r = co_await by_braces();
    auto s = co_await by_parens();
    co_return r.a.get() + s.b;
}

// Not aggregates, though written the same way.

struct pair_by_constructor {
    tracked a, b;
    pair_by_constructor(tracked x, tracked y) : a(std::move(x)), b(std::move(y)) {}
};
task<int> sum_constructed(pair_by_constructor p) {
    co_await hop{};
    co_return p.a.get() + p.b.get();
}

PROBE(class_with_constructor, 3) {
    int one = co_await sum_constructed(pair_by_constructor{tracked(1), tracked(2)});
    int other = co_await sum_constructed({tracked(1), tracked(2)});
    co_return one == other ? one : 0;
}

task<int> with_optional_and_pair(std::optional<tracked> o, std::pair<tracked, int> p) {
    co_await hop{};
    co_return o->get() + p.first.get() * 0;
}

PROBE(optional_and_pair, 2) {
    co_return co_await with_optional_and_pair(tracked(2), {tracked(1), 3});
}

// Returned.

task<pair_of> return_braces() {
    co_await hop{};
    co_return pair_of{tracked(1), tracked(2)};
}
task<pair_of> return_designators() {
    co_await hop{};
    co_return pair_of{.a = tracked(1), .b = tracked(2)};
}

PROBE(co_return_without_await, 3) {
    auto p = co_await return_braces();
    auto q = co_await return_designators();
    co_return p.a.get() + q.b.get();
}

struct eager_pair {
    struct promise_type {
        std::optional<pair_by_constructor> value;
        eager_pair get_return_object() {
            return eager_pair{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_value(pair_by_constructor p) { value.emplace(std::move(p)); }
        void unhandled_exception() {}
    };
    std::coroutine_handle<promise_type> handle;
};
eager_pair return_bare_braces() { co_return {tracked(1), tracked(2)}; }

PROBE(co_return_bare_braces, 3) {
    auto p = return_bare_braces();
    int r = p.handle.promise().value->a.get() + p.handle.promise().value->b.get();
    p.handle.destroy();
    co_return r;
}

struct assignable {
    tracked t;
    int n = 0;
};

PROBE(assigned_to_members, 7) {
    assignable s;
    s.t = co_await make(7);
    s.n += co_await number(7);
    EXPECT(s.n == 7);
    co_return s.t.get();
}
