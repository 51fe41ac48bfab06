// tests/toolchain/probe.hpp - what probes share: an object that notices misuse, a task, a main.
// SPDX-License-Identifier: MIT
//
// A probe is a coroutine that is right C++20 and says what it must return. Its verdict is `ok` if
// it returns that and nobody complained on the way; verdicts.txt has each compiler's verdicts.
// One program holds the probes of one theme and runs one of them per start, because a miscompiled
// probe may well take its process with it.
#pragma once

#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

inline int complaints = 0;

inline void complain(const char* what, const char* detail = "") {
    ++complaints;
    std::printf("  %s%s\n", what, detail);
    std::fflush(stdout);  // the next thing may be a crash
}

#define EXPECT(condition) ((condition) ? void() : complain("not true: ", #condition))

/// Where tracked objects live now. An address that is not in here holds at most an object's bytes.
inline std::set<const void*>& living() {
    static std::set<const void*> addresses;
    return addresses;
}

/// Complains when it is used at an address where it was never constructed, or destroyed twice.
struct tracked {
    int id;
    std::string text;  // too long to be stored in place: a bytewise copy frees it twice

    tracked(int i = 0)
        : id(i), text("a string long enough to be on the heap " + std::to_string(i)) {
        if (!living().insert(this).second) complain("constructed over a living object");
    }
    tracked(const tracked& other) : id(other.id), text((other.check("copied"), other.text)) {
        living().insert(this);
    }
    tracked(tracked&& other) : id(other.id), text((other.check("moved"), std::move(other.text))) {
        living().insert(this);
    }
    tracked& operator=(const tracked& other) {
        check("assigned to");
        other.check("assigned from");
        id = other.id;
        text = other.text;
        return *this;
    }
    tracked& operator=(tracked&& other) {
        check("assigned to");
        other.check("assigned from");
        id = other.id;
        text = std::move(other.text);
        return *this;
    }
    ~tracked() {
        if (living().erase(this) != 0) return;
        complain("destroyed twice, or where it never was");
        new (&text) std::string;  // not the heap's problem too: let the probe report the rest
    }

    void check(const char* what) const {
        if (!living().contains(this)) complain("dead object ", what);
    }
    int get() const {
        check("used");
        return id;
    }
    bool whole() const {
        check("looked at");
        return text.size() > 38;
    }
};

inline std::deque<std::coroutine_handle<>> ready;

/// Suspends; run() resumes from a plain loop, later.
struct hop {
    bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> self) { ready.push_back(self); }
    void await_resume() noexcept {}
};

template <class T>
struct task_result {
    std::optional<T> value;
    template <class U>
    void return_value(U&& u) {
        value.emplace(std::forward<U>(u));
    }
    T take() { return std::move(*value); }
};

template <>
struct task_result<void> {
    void return_void() {}
    void take() {}
};

struct resume_parent {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
        return self.promise().parent;
    }
    void await_resume() noexcept {}
};

/// The usual lazy task: starts when awaited, by symmetric transfer, and returns the same way.
template <class T>
struct [[nodiscard]] task {
    struct promise_type : task_result<T> {
        std::coroutine_handle<> parent = std::noop_coroutine();
        std::exception_ptr error;

        task get_return_object() {
            return task{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        resume_parent final_suspend() noexcept { return {}; }
        void unhandled_exception() { error = std::current_exception(); }
    };

    struct awaiter {
        std::coroutine_handle<promise_type> child;

        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) noexcept {
            child.promise().parent = parent;
            return child;
        }
        T await_resume() {
            if (child.promise().error) std::rethrow_exception(child.promise().error);
            return child.promise().take();
        }
    };

    explicit task(std::coroutine_handle<promise_type> h) : handle(h) {}
    task(task&& other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
    ~task() {
        if (handle) handle.destroy();
    }
    awaiter operator co_await() && noexcept { return awaiter{handle}; }

    std::coroutine_handle<promise_type> handle;
};

template <class T>
T run(task<T> t) {
    t.handle.resume();
    while (!ready.empty()) {
        const auto next = ready.front();
        ready.pop_front();
        next.resume();
    }
    if (!t.handle.done()) {
        complain("not done, and nothing left to run");
        std::exit(1);
    }
    if (t.handle.promise().error) std::rethrow_exception(t.handle.promise().error);
    return t.handle.promise().take();
}

// Children the probes await.
inline task<int> number(int i) {
    co_await hop{};
    co_return i;
}
inline task<tracked> make(int i) {
    co_await hop{};
    co_return tracked(i);
}
inline task<int> by_value(tracked t) {
    co_await hop{};
    EXPECT(t.whole());
    co_return t.get();
}
inline task<int> by_const_ref(const tracked& t) {
    co_await hop{};
    EXPECT(t.whole());
    co_return t.get();
}
inline task<int> by_rvalue_ref(tracked&& t) {
    co_await hop{};
    EXPECT(t.whole());
    co_return t.get();
}
template <class F>
task<int> call(F f) {
    co_await hop{};
    co_return f();
}
template <class F>
task<int> call_ref(F&& f) {
    co_await hop{};
    co_return f();
}
inline task<int> throws() {
    co_await hop{};
    throw std::string("an exception text that is long enough");
    co_return 0;
}

struct probe {
    const char* name;
    int want;
    task<int> (*body)();
};

inline std::vector<probe>& probes() {
    static std::vector<probe> all;
    return all;
}

struct enlisted {
    enlisted(const char* name, int want, task<int> (*body)()) {
        probes().push_back({name, want, body});
    }
};

/// PROBE(name, want) { body of a task<int> that must return want }
#define PROBE(name, want)                              \
    task<int> name();                                  \
    const enlisted name##_enlisted{#name, want, name}; \
    task<int> name()

inline int run_probe(const probe& p) {
    try {
        const int got = run(p.body());
        if (got != p.want) {
            ++complaints;
            std::printf("  returned %d, not %d\n", got, p.want);
        }
    } catch (const std::string& text) {
        complain("unexpected exception: ", text.c_str());
    }
    if (!living().empty()) complain("objects left behind");
    return complaints != 0 ? 1 : 0;
}

/// Without an argument: the names of all probes. With a name: that probe; exit status 0 is `ok`.
int main(int argc, char** argv) {
    for (const probe& p : probes()) {
        if (argc < 2) std::puts(p.name);
        if (argc == 2 && std::string_view(argv[1]) == p.name) return run_probe(p);
    }
    return argc < 2 ? 0 : 2;
}
