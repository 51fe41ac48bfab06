// tests/toolchain/promises.cpp - how frames are allocated, fail to start, and end.
// SPDX-License-Identifier: MIT
#include "probe.hpp"

/// What an eager promise has that no probe here is about.
struct eager_promise {
    int value = 0;
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_value(int v) { value = v; }
    void unhandled_exception() {}
};

struct count_of {
    int n = 0;
};
struct allocates_from_argument {
    struct promise_type : eager_promise {
        static void* operator new(std::size_t bytes, count_of& c, int) {
            c.n++;
            return std::malloc(bytes);
        }
        static void operator delete(void* p) { std::free(p); }
        allocates_from_argument get_return_object() {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
    };
    std::coroutine_handle<promise_type> handle;
};
allocates_from_argument allocate_by(count_of& c, int i) { co_return i; }

// clang elides the frame when it optimises, and operator new with it. That is allowed.
PROBE(operator_new_sees_the_parameters, 5) {
    count_of c;
    auto t = allocate_by(c, 4);
    int r = t.handle.promise().value + c.n;
    t.handle.destroy();
    co_return r;
}

struct fails_to_allocate {
    struct promise_type : eager_promise {
        static void* operator new(std::size_t) noexcept { return nullptr; }
        static void operator delete(void* p) { std::free(p); }
        static fails_to_allocate get_return_object_on_allocation_failure() { return {nullptr}; }
        fails_to_allocate get_return_object() {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
    };
    std::coroutine_handle<promise_type> handle;
};
fails_to_allocate try_to_allocate(tracked t) { co_return t.get(); }

PROBE(get_return_object_on_allocation_failure, 1) {
    auto t = try_to_allocate(tracked(1));
    co_return t.handle == nullptr;
}

// Whatever throws before the body starts, the parameters are destroyed and the caller hears of it.

struct new_throws {
    struct promise_type : eager_promise {
        static void* operator new(std::size_t) { throw std::bad_alloc(); }
        static void operator delete(void* p) { std::free(p); }
        new_throws get_return_object() { return {}; }
    };
};
new_throws start_new_throws(tracked t, tracked u) { co_return t.get() + u.get(); }

PROBE(operator_new_throws, 1) {
    int r = 0;
    try {
        (void)start_new_throws(tracked(1), tracked(2));
    } catch (std::bad_alloc&) {
        r = 1;
    }
    co_return r;
}

struct return_object_throws {
    struct promise_type : eager_promise {
        tracked t{5};
        return_object_throws get_return_object() {
            throw 1;
            return {};
        }
    };
};
return_object_throws start_return_object_throws(tracked t, tracked u) {
    co_return t.get() + u.get();
}

PROBE(get_return_object_throws, 1) {
    int r = 0;
    try {
        (void)start_return_object_throws(tracked(1), tracked(2));
    } catch (int) {
        r = 1;
    }
    co_return r;
}

struct initial_suspend_throws_at_once {
    struct promise_type : eager_promise {
        tracked t{5};
        initial_suspend_throws_at_once get_return_object() { return {}; }
        std::suspend_never initial_suspend() {
            throw 1;
            return {};
        }
    };
};
initial_suspend_throws_at_once start_initial_suspend_throws(tracked t, tracked u) {
    co_return t.get() + u.get();
}

PROBE(initial_suspend_throws, 1) {
    int r = 0;
    try {
        (void)start_initial_suspend_throws(tracked(1), tracked(2));
    } catch (int) {
        r = 1;
    } catch (...) {
        r = 2;
    }
    co_return r;
}

struct constructor_throws {
    struct promise_type : eager_promise {
        tracked t{5};
        promise_type() { throw 1; }
        constructor_throws get_return_object() { return {}; }
    };
};
constructor_throws start_constructor_throws(tracked t, tracked u) { co_return t.get() + u.get(); }

PROBE(promise_constructor_throws, 1) {
    int r = 0;
    try {
        (void)start_constructor_throws(tracked(1), tracked(2));
    } catch (int) {
        r = 1;
    } catch (...) {
        r = 2;
    }
    co_return r;
}

struct sees_parameters {
    struct promise_type {
        const tracked* address;
        int sum;
        bool value = false;
        promise_type(const tracked& t, int i) : address(&t), sum(t.get() + i) { EXPECT(t.whole()); }
        sees_parameters get_return_object() {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_value(bool v) { value = v; }
        void unhandled_exception() {}
    };
    std::coroutine_handle<promise_type> handle;
};
struct own_promise {
    sees_parameters::promise_type* promise;
    bool await_ready() { return false; }
    bool await_suspend(std::coroutine_handle<sees_parameters::promise_type> self) {
        promise = &self.promise();
        return false;
    }
    sees_parameters::promise_type* await_resume() { return promise; }
};
sees_parameters compare_parameters(tracked t, int) {
    auto p = co_await own_promise{};
    co_return p->address == &t && p->sum == 3;
}

PROBE(promise_constructor_sees_the_copies, 1) {
    auto t = compare_parameters(tracked(1), 2);
    int r = t.handle.promise().value;
    t.handle.destroy();
    co_return r;
}

// Ends.

std::coroutine_handle<> grabbed;
struct grab {
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<> self) { grabbed = self; }
    void await_resume() {}
};
struct rethrows {
    struct promise_type {
        tracked t{5};
        rethrows get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_value(int) {}
        void unhandled_exception() { throw; }
    };
};
rethrows throw_after_resume(tracked t) {
    co_await grab{};
    throw 1;
    co_return t.get();
}

PROBE(unhandled_exception_rethrows, 1) {
    int r = 0;
    (void)throw_after_resume(tracked(1));
    try {
        grabbed.resume();
    } catch (int) {
        r = 1;
    }
    EXPECT(grabbed.done());
    grabbed.destroy();
    co_return r;
}

PROBE(destroyed_while_suspended, 1) {
    {
        tracked x(1);
        auto t = by_value(tracked(9));
        t.handle.resume();
        ready.clear();
    }
    {
        auto t = [](tracked a) -> task<int> {
            tracked local(2);
            auto owned = std::make_unique<tracked>(3);
            co_await by_value(*owned);
            co_return a.get() + local.get();
        }(tracked(4));
        t.handle.resume();
        ready.clear();
    }
    co_return 1;
}

struct detached {
    struct promise_type {
        detached get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};
detached run_detached(tracked a, int& out) {
    tracked local(2);
    co_await by_value(a);
    out = 1;
}

PROBE(final_suspend_never, 1) {
    int out = 0;
    run_detached(tracked(1), out);
    co_await hop{};
    co_await hop{};
    co_return out;
}

struct destroy_self {
    bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> self) noexcept { self.destroy(); }
    void await_resume() noexcept {}
};
struct self_destroying {
    struct promise_type {
        self_destroying get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        destroy_self final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};
self_destroying end_at_final_suspend(tracked a, int& out) {
    tracked local(2);
    co_await by_value(a);
    out = 1;
}
self_destroying end_in_the_middle(tracked a) {
    tracked local(2);
    co_await destroy_self{};
    std::abort();
}

PROBE(destroyed_in_await_suspend, 1) {
    int out = 0;
    end_at_final_suspend(tracked(1), out);
    end_in_the_middle(tracked(3));
    co_await hop{};
    co_await hop{};
    co_return out;
}
