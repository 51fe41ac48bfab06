// tests/toolchain/yields.cpp - what is made in a co_yield expression lives until the coroutine goes on, and dies once.
// SPDX-License-Identifier: MIT
//
// g++ 12 treats temporaries here as it does around co_await: aggregates with members that are not trivially copyable
// are destroyed twice.
#include "probe.hpp"

#include <memory>

struct pair_of {
    tracked a;
    tracked b;
};

template <class T>
struct sequence {
    struct promise_type {
        T* value = nullptr;

        sequence get_return_object() {
            return sequence{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(T& v) {
            value = std::addressof(v);
            return {};
        }
        std::suspend_always yield_value(T&& v) {
            value = std::addressof(v);
            return {};
        }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };

    explicit sequence(std::coroutine_handle<promise_type> h) : handle(h) {}
    sequence(const sequence&) = delete;
    ~sequence() { handle.destroy(); }

    T* next() {
        handle.resume();
        return handle.done() ? nullptr : handle.promise().value;
    }

    std::coroutine_handle<promise_type> handle;
};

sequence<pair_of> aggregates() { co_yield pair_of{tracked(1), tracked(2)}; }

PROBE(aggregate_made_in_the_yield, 3) {
    sequence<pair_of> all = aggregates();
    int sum = 0;
    while (pair_of* p = all.next()) sum += p->a.get() + p->b.get();
    co_return sum;
}

sequence<pair_of> named_aggregates() {
    pair_of p{tracked(1), tracked(2)};
    co_yield p;
}

PROBE(aggregate_with_a_name, 3) {
    sequence<pair_of> all = named_aggregates();
    int sum = 0;
    while (pair_of* p = all.next()) sum += p->a.get() + p->b.get();
    co_return sum;
}

sequence<tracked> objects() {
    co_yield tracked(1);
    co_yield tracked(2);
}

PROBE(class_with_constructor_made_in_the_yield, 3) {
    sequence<tracked> all = objects();
    int sum = 0;
    while (tracked* t = all.next()) sum += t->get();
    co_return sum;
}
