// tests/toolchain/hop.cpp - no frame is touched after await_suspend has published its handle.
// SPDX-License-Identifier: MIT
// flags: -fsanitize=thread -pthread
//
// 200 coroutines go back and forth between two threads, so that many are resumed by the other one
// before await_suspend returns. The awaiter owns heap memory, so that ThreadSanitizer sees a late
// access to it. A report makes the program's exit status non-zero, and the verdict `wrong`.
#include "probe.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

struct run_queue {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::coroutine_handle<>> handles;
    bool stopped = false;

    void push(std::coroutine_handle<> h) {
        {
            std::lock_guard lock(mutex);
            handles.push_back(h);
        }
        changed.notify_one();
    }
    void stop() {
        std::lock_guard lock(mutex);
        stopped = true;
        changed.notify_all();
    }
    std::coroutine_handle<> pop() {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return stopped || !handles.empty(); });
        if (handles.empty()) return nullptr;
        const auto h = handles.front();
        handles.pop_front();
        return h;
    }
};

run_queue queues[2];

struct hop_base {
    int to;
    std::string on_the_heap = "a string member with a heap allocation...";
    explicit hop_base(int t) : to(t) {}
    bool await_ready() noexcept { return false; }
    int await_resume() noexcept { return to; }
};
struct hop_returning_void : hop_base {
    using hop_base::hop_base;
    void await_suspend(std::coroutine_handle<> self) { queues[to].push(self); }
};
struct hop_returning_bool : hop_base {
    using hop_base::hop_base;
    bool await_suspend(std::coroutine_handle<> self) {
        queues[to].push(self);
        return true;
    }
};
struct hop_returning_handle : hop_base {
    using hop_base::hop_base;
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) {
        queues[to].push(self);
        return std::noop_coroutine();
    }
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

constexpr int travellers = 200;
std::atomic<int> travelling{travellers};
std::atomic<long> arrivals{0};

template <class Hop>
detached travel(int hops) {
    for (int i = 0; i < hops; i++) arrivals += co_await Hop(i & 1);
    if (travelling.fetch_sub(1) == 1) {
        for (auto& q : queues) q.stop();
    }
}

template <class Hop>
int travel_all() {
    std::thread threads[2];
    for (int i = 0; i < 2; i++) {
        threads[i] = std::thread([i] {
            while (const auto h = queues[i].pop()) h.resume();
        });
    }
    for (int i = 0; i < travellers; i++) travel<Hop>(100);
    for (auto& t : threads) t.join();
    return static_cast<int>(arrivals);
}

PROBE(await_suspend_returns_void, travellers * 50) { co_return travel_all<hop_returning_void>(); }

PROBE(await_suspend_returns_bool, travellers * 50) { co_return travel_all<hop_returning_bool>(); }

PROBE(await_suspend_returns_handle, travellers * 50) {
    co_return travel_all<hop_returning_handle>();
}
