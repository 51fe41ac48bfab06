// tests/toolchain/temporaries.cpp - arguments and other temporaries of a co_await expression.
// SPDX-License-Identifier: MIT
//
// Temporaries made by a constructor or returned by a function are safe with every compiler; the
// exceptions are `new T(co_await x)` and `throw T(co_await x)` with g++ 12.
#include "probe.hpp"

#include <chrono>
#include <tuple>

PROBE(argument_by_value, 1) { co_return co_await by_value(tracked(1)); }

PROBE(argument_by_const_reference, 1) { co_return co_await by_const_ref(tracked(1)); }

PROBE(argument_by_rvalue_reference, 1) {
    int r = co_await by_rvalue_ref(tracked(1));
    co_return r;
}

task<int> add(tracked a, tracked b, tracked c) {
    co_await hop{};
    co_return a.get() + b.get() + c.get();
}

PROBE(arguments_are_awaited, 6) {
    co_return co_await add(co_await make(1), tracked(2), co_await make(3));
}

task<int> through_pointers(std::unique_ptr<tracked> p, std::shared_ptr<tracked> s) {
    co_await hop{};
    co_return p->get() + s->get();
}

PROBE(smart_pointer_arguments, 3) {
    co_return co_await through_pointers(std::make_unique<tracked>(1), std::make_shared<tracked>(2));
}

task<int> with_defaults(std::string a = "a default argument which is long enough",
                        tracked t = tracked(2)) {
    co_await hop{};
    EXPECT(a.size() == 39);
    co_return t.get();
}

PROBE(default_arguments, 2) { co_return co_await with_defaults(); }

struct move_only {
    std::unique_ptr<tracked> p;
    move_only(int i) : p(new tracked(i)) {}
    move_only(move_only&&) = default;
};
task<int> take_move_only(move_only m) {
    co_await hop{};
    co_return m.p->get();
}

PROBE(move_only_parameter, 1) {
    move_only m(1);
    auto t = take_move_only(std::move(m));
    EXPECT(m.p == nullptr);
    co_return co_await std::move(t);
}

task<int> unnamed_parameters(tracked, tracked&&, const tracked&, int = 3) {
    co_await hop{};
    co_return 1;
}

PROBE(unused_parameters, 1) {
    tracked a(1), b(2), c(3);
    co_return co_await unnamed_parameters(a, std::move(b), c);
}

struct empty {};
struct empty_with_destructor {
    empty_with_destructor() {}
    ~empty_with_destructor() {}
};
task<int> take_empty(empty, empty_with_destructor, std::allocator<int>) {
    co_await hop{};
    co_return 1;
}

PROBE(empty_arguments, 1) { co_return co_await take_empty(empty{}, empty_with_destructor{}, {}); }

using namespace std::chrono_literals;
task<int> take_literals(std::chrono::milliseconds m, std::string_view s) {
    co_await hop{};
    co_return m == 5ms && s == "abc";
}

PROBE(literal_arguments, 1) { co_return co_await take_literals(5ms, "abc"); }

task<int> sum_of(std::vector<tracked> v) {
    co_await hop{};
    int sum = 0;
    for (auto& t : v) sum += t.get();
    co_return sum;
}

PROBE(named_vector_from_a_list, 6) {
    std::vector<tracked> v{tracked(1), tracked(2), tracked(3)};
    co_await hop{};
    co_return co_await sum_of(std::move(v));
}

// Exceptions among temporaries.

task<int> throws_if_one(tracked t) {
    co_await hop{};
    if (t.get() == 1) throw std::string("x");
    co_return 0;
}

PROBE(callee_throws, 5) {
    int r = 0;
    try {
        r = co_await throws_if_one(tracked(1));
    } catch (const std::string&) {
        r = 5;
    }
    co_return r;
}

int boom() { throw std::string("x"); }
task<int> add_number(tracked a, int b) {
    co_await hop{};
    co_return a.get() + b;
}

PROBE(argument_throws, 5) {
    int r = 0;
    try {
        r = co_await add_number(tracked(1), boom());
    } catch (const std::string&) {
        r = 5;
    }
    co_await hop{};
    co_return r;
}

task<int> throws_if_long(tracked a, const std::string& s, tracked b) {
    co_await hop{};
    if (s.size() > 3) throw std::string("x");
    co_return 0;
}

PROBE(callee_with_many_temporaries_throws_in_a_loop, 5) {
    int r = 0;
    for (int i = 0; i < 3; i++) {
        try {
            r += co_await throws_if_long(tracked(1), std::string("abcdefghijabcdefghijabcdefghij"),
                                         tracked(2));
        } catch (std::string&) {
            r += 1;
        }
    }
    co_return r + 2;
}

task<int> throws_an_awaited_string() {
    throw std::string(co_await ([]() -> task<std::string> {
        co_await hop{};
        co_return "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst";
    })());
    co_return 0;
}

PROBE(throw_of_an_await, 5) {
    int r = 0;
    try {
        r = co_await throws_an_awaited_string();
    } catch (const std::string& s) {
        r = s.size() > 20 ? 5 : 0;
    }
    co_return r;
}

// Operands.

PROBE(new_of_an_await, 1) {
    std::unique_ptr<tracked> p(new tracked(co_await make(1)));
    auto q = std::make_unique<tracked>(co_await make(1));
    co_return p->get() == q->get();
}

PROBE(emplace_of_an_await, 3) {
    std::vector<tracked> v;
    v.emplace_back(co_await make(1));
    v.push_back(co_await make(2));
    std::optional<tracked> o;
    o.emplace(co_await make(3));
    EXPECT(o->get() == 3);
    co_return v[0].get() + v[1].get();
}

PROBE(index_is_awaited, 9) {
    std::vector<int> v{1, 2, 3};
    v[co_await number(1)] = co_await number(9);
    co_return v[1];
}

PROBE(operands_in_order, 3) {
    std::string log;
    auto f = [&](int i) -> task<int> {
        log += "f" + std::to_string(i);
        co_await hop{};
        co_return i;
    };
    int a = co_await f(1) + co_await f(2);
    EXPECT(log == "f1f2");
    co_return a;
}

task<std::string> make_string() {
    co_await hop{};
    co_return "a string that is long enough to heap";
}

PROBE(string_concatenation, 42) {
    std::string s = "pre" + co_await make_string() + std::string("end");
    co_return (int) s.size();
}

PROBE(comma_and_cast, 3) {
    int r = (co_await number(9), co_await number(2));
    auto d = static_cast<double>(co_await number(1));
    co_return r + int(d);
}

task<std::optional<tracked>> maybe(bool b) {
    co_await hop{};
    if (b) co_return std::optional<tracked>(tracked(2));
    co_return std::optional<tracked>();
}

PROBE(value_or_on_an_await, 5) {
    int a = (co_await maybe(true)).value_or(tracked(9)).get();
    int b = (co_await maybe(false)).value_or(tracked(3)).get();
    co_return a + b;
}

PROBE(reference_extends_the_lifetime, 1) {
    const tracked& r = co_await make(1);
    co_await hop{};
    EXPECT(r.whole());
    std::string_view yes = (co_await make(2)).text.c_str()[0] == 'a' ? "y" : "n";
    co_return r.get() && yes == "y";
}

struct on {
    int executor;
};
task<int> operator|(task<int> t, on) { return t; }

PROBE(operator_between_tasks, 1) { co_return co_await (by_value(tracked(1)) | on{3}); }

// Packs and containers of tasks.

template <class... T>
task<int> sum_all(task<T>... tasks) {
    int sum = 0;
    ((sum += co_await std::move(tasks)), ...);
    co_return sum;
}

PROBE(fold_over_tasks, 3) { co_return co_await sum_all(number(1), number(2)); }

template <class... T>
task<std::tuple<T...>> all(task<T>... tasks) {
    co_return std::tuple<T...>{co_await std::move(tasks)...};
}

PROBE(pack_of_tasks_into_a_tuple, 3) {
    auto [a, b] = co_await all(make(1), make(2));
    co_return a.get() + b.get();
}

struct children {
    std::vector<task<int>> tasks;
    void spawn(task<int> t) { tasks.push_back(std::move(t)); }
    task<int> join() {
        int sum = 0;
        for (auto& t : tasks) sum += co_await std::move(t);
        co_return sum;
    }
};

PROBE(tasks_spawned_then_joined, 3) {
    children group;
    tracked a(1);
    group.spawn(by_value(a));
    group.spawn([](tracked x) -> task<int> {
        co_await hop{};
        co_return x.get();
    }(tracked(2)));
    co_return co_await group.join();
}
