// tests/toolchain/awaiters.cpp - a temporary awaiter is destroyed once, where it was made.
// SPDX-License-Identifier: MIT
//
// g++ 12 copies an aggregate awaiter written in place bytewise and destroys both. An awaiter with a
// constructor, or one that a function returns, is safe.
#include "probe.hpp"

struct aggregate_awaiter {
    tracked t;
    int unused = 0;
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<> self) { ready.push_back(self); }
    int await_resume() { return t.get(); }
};

struct constructed_awaiter {
    tracked t;
    explicit constructed_awaiter(tracked x) : t(std::move(x)) {}
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<> self) { ready.push_back(self); }
    int await_resume() { return t.get(); }
};

PROBE(aggregate_in_place, 1) {
    int r = co_await aggregate_awaiter{tracked(1)};
    co_return r;
}

PROBE(aggregate_in_place_by_designators, 1) {
    tracked x(1);
    int r = co_await aggregate_awaiter{.t = x, .unused = 2};
    co_return r;
}

struct aggregate_lazy {
    tracked t;
    aggregate_awaiter operator co_await() const& { return aggregate_awaiter{t}; }
};

PROBE(aggregate_with_operator_co_await, 1) {
    int r = co_await aggregate_lazy{tracked(1)};
    co_return r;
}

struct has_member_task {
    tracked t{1};
    task<int> add(tracked x) const {
        co_await hop{};
        co_return t.get() + x.get();
    }
};

PROBE(member_task_of_an_aggregate_temporary, 3) {
    co_return co_await has_member_task{}.add(tracked(2));
}

struct builder {
    tracked t;
    builder&& with(int) && { return std::move(*this); }
    task<int> go() && { return start(std::move(t)); }
    static task<int> start(tracked t) {
        co_await hop{};
        co_return t.get();
    }
};

PROBE(chained_calls_on_an_aggregate_temporary, 1) {
    int r = co_await builder{tracked(1)}.with(2).go();
    co_return r;
}

struct never_suspends {
    tracked t{1};
    bool await_ready() noexcept { return false; }
    bool await_suspend(std::coroutine_handle<>) noexcept { return false; }
    int await_resume() noexcept { return t.get(); }
};

PROBE(aggregate_whose_await_suspend_says_false, 1) { co_return co_await never_suspends{}; }

constructed_awaiter make_awaiter(int i) { return constructed_awaiter(tracked(i)); }

PROBE(with_constructor, 1) {
    int a = co_await constructed_awaiter{tracked(1)};
    int b = co_await make_awaiter(1);
    int c = co_await constructed_awaiter(tracked(1));
    co_return a == b&& b == c ? a : 0;
}

struct constructed_lazy {
    tracked t;
    explicit constructed_lazy(tracked x) : t(std::move(x)) {}
    constructed_awaiter operator co_await() const& { return constructed_awaiter{t}; }
    constructed_awaiter operator co_await() && { return constructed_awaiter{std::move(t)}; }
};

PROBE(operator_co_await_with_constructors, 1) {
    int a = co_await constructed_lazy{tracked(1)};
    constructed_lazy named(tracked(1));
    int b = co_await named;
    co_return a == b ? a : 0;
}

struct half_constructed_lazy {
    tracked t;
    explicit half_constructed_lazy(tracked x) : t(std::move(x)) {}
    aggregate_awaiter operator co_await() const& { return aggregate_awaiter{t}; }
};

PROBE(operator_co_await_returns_an_aggregate, 1) {
    int r = co_await half_constructed_lazy{tracked(1)};
    co_return r;
}

// Through await_transform.

template <class Transform>
struct transforming {
    struct promise_type : Transform {
        int value = 0;
        transforming get_return_object() {
            return transforming{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_value(int v) { value = v; }
        void unhandled_exception() {}
    };
    std::coroutine_handle<promise_type> handle;
};

struct tag {
    int i;
};
struct to_aggregate {
    aggregate_awaiter await_transform(tag t) { return aggregate_awaiter{tracked(t.i)}; }
};
transforming<to_aggregate> await_a_tag() {
    int r = co_await tag{1};
    co_return r;
}

PROBE(await_transform_returns_an_aggregate, 1) {
    auto t = await_a_tag();
    co_await hop{};
    co_await hop{};
    int r = t.handle.promise().value;
    t.handle.destroy();
    co_return r;
}

struct referring_awaiter {
    tracked&& t;
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<> self) { ready.push_back(self); }
    int await_resume() { return t.get(); }
};
struct to_reference {
    referring_awaiter await_transform(tracked&& t) { return referring_awaiter{std::move(t)}; }
};
transforming<to_reference> await_a_temporary() {
    int r = co_await tracked(1);
    co_return r;
}

PROBE(await_transform_refers_to_the_temporary, 1) {
    auto t = await_a_temporary();
    co_await hop{};
    co_await hop{};
    int r = t.handle.promise().value;
    t.handle.destroy();
    co_return r;
}

// Throwing, returning references.

struct throws_on_resume {
    tracked t;
    throws_on_resume() : t(1) {}
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<> self) { ready.push_back(self); }
    int await_resume() { throw std::string("z"); }
};

PROBE(await_resume_throws, 5) {
    int r = 0;
    try {
        tracked x(2);
        r = co_await throws_on_resume();
    } catch (const std::string&) {
        r = 5;
    }
    co_return r;
}

struct throws_on_suspend {
    tracked t;
    throws_on_suspend() : t(1) {}
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<>) { throw std::string("z"); }
    int await_resume() { return 1; }
};

PROBE(await_suspend_throws, 5) {
    int r = 0;
    try {
        tracked x(2);
        r = co_await throws_on_suspend();
    } catch (const std::string&) {
        r = 5;
    }
    co_await hop{};
    co_return r;
}

struct reference_task {
    struct promise_type {
        tracked* value;
        std::coroutine_handle<> parent;
        reference_task get_return_object() {
            return reference_task{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        resume_parent final_suspend() noexcept { return {}; }
        void return_value(tracked& t) { value = &t; }
        void unhandled_exception() {}
    };

    explicit reference_task(std::coroutine_handle<promise_type> h) : handle(h) {}
    reference_task(reference_task&& other) : handle(std::exchange(other.handle, {})) {}
    ~reference_task() {
        if (handle) handle.destroy();
    }
    bool await_ready() { return false; }
    auto await_suspend(std::coroutine_handle<> parent) {
        handle.promise().parent = parent;
        return handle;
    }
    tracked& await_resume() { return *handle.promise().value; }

    std::coroutine_handle<promise_type> handle;
};
reference_task same(tracked& t) {
    co_await hop{};
    co_return t;
}

PROBE(result_is_a_reference, 4) {
    tracked t(3);
    (co_await same(t)).id = 4;
    co_return t.get();
}
