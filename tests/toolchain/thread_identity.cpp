// tests/toolchain/thread_identity.cpp - after a resume elsewhere, a coroutine knows its new thread.
// SPDX-License-Identifier: MIT
// flags: -pthread
//
// clang, when it optimises, keeps what it read before the suspension: the thread's id, the address
// of errno. Writes to thread-local variables are right with both compilers, and so is everything
// that goes through a function the compiler cannot look into.
#include "probe.hpp"

#include <pthread.h>

#include <cerrno>
#include <thread>

thread_local int number_of_thread = 0;
struct with_destructor {
    int value = 0;
    ~with_destructor() {}
};
thread_local with_destructor object_of_thread;

/// Hides from the compiler where a value came from.
template <class T>
T opaque(T value) {
    asm volatile("" : "+r"(value));
    return value;
}

std::coroutine_handle<> parked;
struct park {
    bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> self) noexcept { parked = self; }
    void await_resume() noexcept {}
};

struct detached {
    struct promise_type {
        detached get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};

bool noticed = false;

/// Returns: whether a coroutine that parks here and is resumed by a new thread noticed the change.
int notices(detached (*start)()) {
    start();
    std::thread([] { parked.resume(); }).join();
    return noticed;
}

detached compare_get_id() {
    const auto before = std::this_thread::get_id();
    co_await park{};
    noticed = before != std::this_thread::get_id();
}

PROBE(this_thread_get_id, 1) { co_return notices(compare_get_id); }

detached compare_pthread_self() {
    const pthread_t before = pthread_self();
    co_await park{};
    noticed = before != pthread_self();
}

PROBE(pthread_self_compared, 1) { co_return notices(compare_pthread_self); }

detached compare_errno() {
    int* const before = &errno;
    co_await park{};
    noticed = before != &errno;
}

PROBE(address_of_errno, 1) { co_return notices(compare_errno); }

detached compare_thread_local() {
    int* const before = &number_of_thread;
    co_await park{};
    noticed = before != &number_of_thread;
}

PROBE(address_of_a_thread_local, 1) { co_return notices(compare_thread_local); }

detached compare_opaquely() {
    const pthread_t self = opaque(pthread_self());
    int* const number = opaque(&number_of_thread);
    with_destructor* const object = opaque(&object_of_thread);
    co_await park{};
    noticed = self != opaque(pthread_self()) && number != opaque(&number_of_thread) &&
              object != opaque(&object_of_thread);
}

PROBE(all_of_it_made_opaque, 1) { co_return notices(compare_opaquely); }

[[gnu::noinline]] int* address_behind_a_call() { return opaque(&number_of_thread); }

detached compare_behind_a_call() {
    int* const before = address_behind_a_call();
    co_await park{};
    noticed = before != address_behind_a_call();
}

PROBE(address_behind_a_call_that_is_not_inlined, 1) { co_return notices(compare_behind_a_call); }

detached write_thread_local() {
    number_of_thread = 1;
    co_await park{};
    number_of_thread = 2;
}

PROBE(a_write_goes_to_the_new_thread, 1) {
    write_thread_local();
    int seen_there = 0;
    std::thread([&] {
        parked.resume();
        seen_there = *address_behind_a_call();
    }).join();
    EXPECT(seen_there == 2);
    co_return *address_behind_a_call();
}
