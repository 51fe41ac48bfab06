// tests/toolchain/throw_before_start.cpp - a coroutine that fails to start leaves nothing behind.
// SPDX-License-Identifier: MIT
//
// Counts the frames: one is lost, or freed twice, if the compiler loses track of who owns it when
// the promise, the return object, the initial suspend or the copy of a parameter throws.
// g++ 12 frees it twice when it is the initial awaiter that throws.
#include "probe.hpp"

#include <stdexcept>

long frames = 0;
bool allocation_fails = false;

enum class stage { none, promise, return_object, initial_suspend };

template <stage Failing>
struct failing {
    struct initial_awaiter {
        bool await_ready() const { return false; }
        void await_suspend(std::coroutine_handle<>) const {
            if (Failing == stage::initial_suspend) throw std::runtime_error("initial suspend");
        }
        void await_resume() const {}
    };
    struct promise_type {
        static void* operator new(std::size_t bytes) {
            if (allocation_fails) throw std::bad_alloc();
            ++frames;
            return std::malloc(bytes);
        }
        static void operator delete(void* p) {
            --frames;
            std::free(p);
        }
        promise_type() {
            if (Failing == stage::promise) throw std::runtime_error("promise");
        }
        failing get_return_object() {
            if (Failing == stage::return_object) throw std::runtime_error("return object");
            return failing{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        initial_awaiter initial_suspend() { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { throw; }
    };

    explicit failing(std::coroutine_handle<promise_type> h) : handle(h) {}
    failing(failing&& other) noexcept : handle(std::exchange(other.handle, {})) {}
    ~failing() {
        if (handle) handle.destroy();
    }

    std::coroutine_handle<promise_type> handle;
};

/// Can be copied once, by the caller; the second copy is the one the coroutine keeps in its frame.
struct copied_once {
    tracked t;
    int copies = 0;
    copied_once() = default;
    copied_once(const copied_once& other) : t(other.t), copies(other.copies + 1) {
        if (copies > 1) throw std::runtime_error("copy");
    }
};

template <stage Failing, class Argument>
failing<Failing> start(Argument) {
    co_return;
}

/// Returns: 1 if starting threw and 0 if it did not.
template <stage Failing, class Argument>
int throws_at_start(const Argument& argument) {
    try {
        auto t = start<Failing, Argument>(argument);
    } catch (const std::exception&) {
        return 1;
    }
    return 0;
}

PROBE(nothing_throws, 0) {
    const int threw = throws_at_start<stage::none>(tracked(1));
    EXPECT(frames == 0);
    co_return threw;
}

PROBE(promise_constructor_throws, 1) {
    const int threw = throws_at_start<stage::promise>(tracked(1));
    EXPECT(frames == 0);
    co_return threw;
}

PROBE(get_return_object_throws, 1) {
    const int threw = throws_at_start<stage::return_object>(tracked(1));
    EXPECT(frames == 0);
    co_return threw;
}

PROBE(await_suspend_of_the_initial_awaiter_throws, 1) {
    const int threw = throws_at_start<stage::initial_suspend>(tracked(1));
    EXPECT(frames == 0);
    co_return threw;
}

PROBE(frame_allocation_throws, 1) {
    allocation_fails = true;
    const int threw = throws_at_start<stage::none>(tracked(1));
    EXPECT(frames == 0);
    co_return threw;
}

PROBE(copy_of_a_parameter_into_the_frame_throws, 1) {
    const int threw = throws_at_start<stage::none>(copied_once());
    EXPECT(frames == 0);
    co_return threw;
}
