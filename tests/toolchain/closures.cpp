// tests/toolchain/closures.cpp - a closure made in a co_await expression is destroyed once.
// SPDX-License-Identifier: MIT
//
// g++ 12 copies such a closure bytewise into the frame and destroys both, unless its captures are
// trivially copyable. Naming it first, or making the task in a statement of its own, helps.
#include "probe.hpp"

#include <functional>
#include <tuple>
#include <type_traits>

// A closure that only returns something, handed to a coroutine.

PROBE(capture_copy_by_value, 1) {
    tracked t(1);
    int r = co_await call([t] { return t.get(); });
    co_return r;
}

PROBE(capture_move_by_value, 1) {
    tracked t(1);
    int r = co_await call([t = std::move(t)] { return t.get(); });
    co_return r;
}

PROBE(capture_copy_by_forwarding_reference, 1) {
    tracked t(1);
    int r = co_await call_ref([t] { return t.get(); });
    co_return r;
}

PROBE(capture_temporary, 1) {
    int r = co_await call([t = tracked(1)] { return t.get(); });
    co_return r;
}

task<int> call_function(std::function<int()> f) {
    co_await hop{};
    co_return f();
}

PROBE(converted_to_std_function, 1) {
    tracked t(1);
    int r = co_await call_function([t] { return t.get(); });
    co_return r;
}

PROBE(named_then_moved, 1) {
    tracked t(1);
    auto closure = [t] { return t.get(); };
    int r = co_await call(std::move(closure));
    co_return r;
}

PROBE(task_made_before_the_await, 1) {
    tracked t(1);
    auto child = call([t] { return t.get(); });
    int r = co_await std::move(child);
    co_return r;
}

PROBE(captures_by_reference_only, 1) {
    tracked t(1);
    int one = co_await call([&t] { return t.get(); });
    int other = co_await call_ref([&] { return t.get(); });
    co_return one == other ? one : 0;
}

PROBE(trivial_captures, 6) {
    int a = 1;
    long b = 2;
    const char* c = "abc";
    int r = co_await call([a, b, c] { return int(a + b + (c[2] - 'c' + 3)); });
    co_return r;
}

PROBE(captures_by_reference_in_a_loop, 6) {
    std::vector<int> v{1, 2, 3};
    int sum = 0;
    for (int x : v) {
        auto r = co_await call_ref([&] { return x; });
        sum += r;
    }
    co_return sum;
}

PROBE(captures_a_short_string, 3) {
    std::string s("abc");
    int r = co_await call([s] { return (int)s.size() + (s == "abc" ? 0 : 100); });
    co_return r;
}

PROBE(captures_a_shared_ptr, 1) {
    auto s = std::make_shared<tracked>(1);
    int r = co_await call([s] { return s->get(); });
    EXPECT(s.use_count() == 1);
    co_return r;
}

PROBE(captures_a_unique_ptr, 1) {
    auto s = std::make_unique<tracked>(1);
    int r = co_await call([s = std::move(s)] { return s->get(); });
    co_return r;
}

auto make_closure(int i) {
    return [t = tracked(i)] { return t.get(); };
}

PROBE(closure_returned_by_a_function, 1) { co_return co_await call(make_closure(1)); }

int get_from(const tracked& t) { return t.get(); }

PROBE(bind_front_in_place_of_a_closure, 1) {
    tracked t(1);
    co_return co_await call(std::bind_front(get_from, t));
}

template <class F>
struct wrapped {
    F f;
    template <class G>
    wrapped(G&& g) : f(std::forward<G>(g)) {}
    int operator()() { return f(); }
};
template <class G>
wrapped(G) -> wrapped<G>;

PROBE(wrapped_by_a_constructor, 1) {
    tracked t(1);
    co_return co_await call(wrapped([t] { return t.get(); }));
}

task<std::function<int()>> return_closure() {
    tracked t(1);
    co_await hop{};
    co_return [t] { return t.get(); };
}

PROBE(closure_in_co_return, 1) {
    auto f = co_await return_closure();
    co_return f();
}

// A closure handed to a plain function that returns an awaiter.

template <class F>
struct ready_awaiter {
    F f;
    bool await_ready() {
        f();
        return true;
    }
    void await_suspend(std::coroutine_handle<>) {}
    void await_resume() {}
};
template <class F>
ready_awaiter<F> awaiter_by_value(F f) {
    return {std::move(f)};
}
template <class F>
ready_awaiter<std::decay_t<F>> awaiter_by_forwarding(F&& f) {
    return {std::forward<F>(f)};
}
template <class F>
ready_awaiter<F&> awaiter_of_reference(F&& f) {
    return {f};
}

PROBE(awaiter_takes_it_by_value, 1) {
    tracked t(1);
    int r = 0;
    co_await awaiter_by_value([t, &r] { r = t.get(); });
    co_return r;
}

PROBE(awaiter_takes_it_by_forwarding, 1) {
    tracked t(1);
    int r = 0;
    co_await awaiter_by_forwarding([t, &r] { r = t.get(); });
    co_return r;
}

PROBE(awaiter_refers_to_it, 1) {
    tracked t(1);
    int r = 0;
    co_await awaiter_of_reference([t, &r] { r = t.get(); });
    co_return r;
}

PROBE(awaiter_made_but_not_awaited, 1) {
    tracked t(1);
    int r = 0;
    (void)awaiter_by_forwarding([t, &r] { r = t.get(); }).await_ready();
    co_return r;
}

// A closure that is a coroutine itself.

PROBE(named_coroutine_with_capture, 3) {
    tracked a(1);
    auto f = [a](tracked b) -> task<int> {
        co_await hop{};
        co_return a.get() + b.get();
    };
    co_return co_await f(tracked(2));
}

PROBE(coroutine_with_capture_called_at_once, 3) {
    tracked a(1);
    int r = co_await [a](tracked b) -> task<int> {
        co_await hop{};
        co_return a.get() + b.get();
    }(tracked(2));
    co_return r;
}

template <class A, class B>
task<int> add_both(A a, B b) {
    int x = co_await std::move(a);
    int y = co_await std::move(b);
    co_return x + y;
}

PROBE(coroutine_without_capture_called_at_once, 3) {
    tracked a(1);
    co_return co_await add_both(
        [](tracked t) -> task<int> {
            co_await hop{};
            co_return t.get();
        }(a),
        by_value(tracked(2)));
}

template <class F>
task<int> call_coroutine(F f) {
    co_return co_await f();
}

PROBE(coroutine_with_capture_handed_over, 1) {
    tracked a(1);
    int r = co_await call_coroutine([a]() -> task<int> {
        co_await hop{};
        co_return a.get();
    });
    co_return r;
}

PROBE(generic_coroutines, 3) {
    auto get = [](auto x) -> task<int> {
        co_await hop{};
        co_return x.get();
    };
    int a = co_await get(tracked(1));
    auto sum = [&](auto&&... xs) -> task<int> {
        int s = 0;
        ((s += co_await get(xs)), ...);
        co_return s;
    };
    co_return co_await sum(tracked(1), tracked(1)) + a;
}

template <class T>
task<T> pass_through(T a) {
    auto r = co_await [](T x) -> task<T> {
        co_await hop{};
        co_return x;
    }(a);
    co_return r;
}
template <class F>
auto call_any(F f) -> task<std::invoke_result_t<F>> {
    co_await hop{};
    co_return f();
}

PROBE(inside_a_template, 3) {
    auto x = co_await pass_through<tracked>(tracked(1));
    auto y = co_await call_any([t = tracked(2)] { return t; });
    co_return x.get() + y.get();
}

struct children {
    std::vector<task<int>> tasks;

    template <class F>
    void spawn(F f) {
        tasks.push_back(call_coroutine(std::move(f)));
    }
    task<int> join() {
        int sum = 0;
        for (auto& t : tasks) sum += co_await std::move(t);
        co_return sum;
    }
};

PROBE(spawned_by_a_statement_without_await, 3) {
    children group;
    tracked a(1);
    group.spawn([a]() -> task<int> {
        co_await hop{};
        co_return a.get();
    });
    group.spawn([b = tracked(2)]() -> task<int> {
        co_await hop{};
        co_return b.get();
    });
    co_return co_await group.join();
}

template <class F>
task<int> with_children(F f) {
    children group;
    co_await f(group);
    co_return co_await group.join();
}

PROBE(body_of_a_scope_captures_by_reference, 3) {
    tracked a(1);
    int x = 2;
    co_return co_await with_children([&](children& group) -> task<void> {
        group.tasks.push_back(by_value(a));
        co_await hop{};
        group.tasks.push_back(number(x));
    });
}

PROBE(tasks_of_a_captureless_coroutine_in_a_vector, 4) {
    std::vector<task<int>> tasks;
    for (int i = 0; i < 4; i++) {
        tasks.push_back([](int i, tracked t) -> task<int> {
            co_await hop{};
            co_return t.get() == i;
        }(i, tracked(i)));
    }
    int sum = 0;
    for (auto& t : tasks) sum += co_await std::move(t);
    co_return sum;
}

struct with_member {
    tracked t{2};
    task<int> get() {
        auto f = [this]() -> task<int> {
            co_await hop{};
            co_return t.get();
        };
        co_return co_await f();
    }
};

PROBE(captures_this, 2) {
    with_member s;
    co_return co_await s.get();
}
