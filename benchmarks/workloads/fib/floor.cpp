// benchmarks/workloads/fib/floor.cpp - the floor of the language: a coroutine awaits a coroutine.
// SPDX-License-Identifier: MIT
//
// Frames from a free list; no scheduler, one thread, no stop.
#include "fib.hpp"

#include <array>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <new>
#include <utility>

namespace {

struct block {
    block* next;
};
std::array<block*, 32> free_blocks{};

class task {
public:
    struct promise_type {
        static void* operator new(std::size_t bytes) {
            const std::size_t c = (bytes + 15) / 16;
            block* b = free_blocks.at(c);
            if (b == nullptr) return ::operator new(16 * c);
            free_blocks[c] = b->next;
            return b;
        }
        static void operator delete(void* memory, std::size_t bytes) {
            block*& first = free_blocks.at((bytes + 15) / 16);
            first = ::new (memory) block{first};
        }
        struct back {
            static bool await_ready() noexcept { return false; }
            static std::coroutine_handle<> await_suspend(
                std::coroutine_handle<promise_type> h) noexcept {
                return h.promise().parent;
            }
            static void await_resume() noexcept {}
        };
        task get_return_object() noexcept { return task(*this); }
        static std::suspend_always initial_suspend() noexcept { return {}; }
        static back final_suspend() noexcept { return {}; }
        void return_value(long v) noexcept { value = v; }
        static void unhandled_exception() noexcept { std::terminate(); }

        std::coroutine_handle<> parent = std::noop_coroutine();
        long value = 0;
    };

    task(task&& o) noexcept : frame_(std::exchange(o.frame_, nullptr)) {}
    ~task() {
        if (frame_) frame_.destroy();
    }

    static bool await_ready() noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> h) noexcept {
        frame_.promise().parent = h;
        return frame_;
    }
    long await_resume() const noexcept { return frame_.promise().value; }

    long run() {
        frame_.resume();
        return frame_.promise().value;
    }

private:
    explicit task(promise_type& p) noexcept
        : frame_(std::coroutine_handle<promise_type>::from_promise(p)) {}
    std::coroutine_handle<promise_type> frame_;
};

task fib(unsigned n) {
    if (n < 2) co_return static_cast<long>(n);
    const long a = co_await fib(n - 1);
    const long b = co_await fib(n - 2);
    co_return a + b;
}

}  // namespace

int main(int argc, char** argv) {
    return fib_workload::run(bench::parse(argc, argv), [](unsigned n) { return fib(n).run(); });
}
