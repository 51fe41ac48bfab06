// tests/toolchain/control_flow.cpp - locals live and die on time around await points.
// SPDX-License-Identifier: MIT
#include "probe.hpp"

#include <ranges>
#include <variant>

task<std::pair<tracked, tracked>> make_pair() {
    co_await hop{};
    co_return std::pair<tracked, tracked>(tracked(1), tracked(2));
}

PROBE(structured_binding, 3) {
    auto [a, b] = co_await make_pair();
    co_await hop{};
    auto&& [c, d] = co_await make_pair();
    co_await hop{};
    EXPECT(c.get() == 1 && d.get() == 2);
    co_return a.get() + b.get();
}

task<std::vector<tracked>> make_vector() {
    co_await hop{};
    std::vector<tracked> v;
    v.emplace_back(1);
    v.emplace_back(2);
    v.emplace_back(3);
    co_return v;
}

PROBE(range_for_over_an_await, 6) {
    int sum = 0;
    for (auto& t : co_await make_vector()) {
        co_await hop{};
        sum += t.get();
    }
    co_return sum;
}

PROBE(nested_range_for_over_a_view, 18) {
    int sum = 0;
    std::vector<std::vector<tracked>> rows(2);
    for (auto& row : rows) {
        row.emplace_back(1);
        row.emplace_back(2);
        row.emplace_back(3);
    }
    for (const auto& row : rows) {
        for (const auto& t :
             row | std::views::filter([](const tracked& t) { return t.get() > 0; })) {
            sum += co_await number(t.get());
            int k = co_await by_value(t);
            sum += k > 2 ? 3 : k > 1 ? 2 : k;
        }
    }
    co_return sum - 6;
}

PROBE(await_after_a_handler, 5) {
    bool failed = false;
    std::string message;
    try {
        co_await throws();
    } catch (const std::string& e) {
        failed = true;
        message = e;
    }
    if (failed) {
        co_await hop{};
        EXPECT(message.size() > 20);
        co_return 5;
    }
    co_return 0;
}

PROBE(local_classes_with_destructors, 3) {
    int log = 0;
    {
        struct outer {
            int& log;
            tracked t;
            ~outer() { log += t.get(); }
        } o{log, tracked(1)};
        co_await hop{};
        {
            struct inner {
                int& log;
                ~inner() { log += 2; }
            } i{log};
            co_await hop{};
        }
        EXPECT(log == 2);
    }
    co_return log;
}

task<int> return_from_try(int k) {
    tracked a(1);
    try {
        tracked b(2);
        if (k == 1) {
            co_await hop{};
            co_return b.get();
        }
        co_await throws();
    } catch (std::string&) {
        co_return 3;
    }
    co_return 4;
}

PROBE(return_from_nested_blocks, 2) {
    int a = co_await return_from_try(1);
    int b = co_await return_from_try(2);
    EXPECT(b == 3);
    co_return a;
}

PROBE(break_out_of_a_loop, 10) {
    int sum = 0;
    for (int i = 0;; ++i) {
        tracked t(i);
        if (i == 5) break;
        {
            tracked u(i);
            sum += co_await number(u.get());
        }
    }
    co_return sum;
}

template <class T>
struct expected {
    std::variant<T, std::string> v;
    expected(T t) : v(std::move(t)) {}
    expected(std::string s) : v(std::move(s)) {}
    explicit operator bool() const { return v.index() == 0; }
    T& operator*() { return std::get<0>(v); }
};
task<expected<tracked>> value_or_error(bool b) {
    co_await hop{};
    if (b) co_return tracked(7);
    co_return std::string("error");
}

PROBE(nested_if_with_declarations, 7) {
    if (auto r = co_await value_or_error(true)) {
        co_await hop{};
        if (auto e = co_await value_or_error(false); !e) co_return (*r).get();
    }
    co_return 0;
}

struct lockable {
    int locked = 0;
    struct guard {
        lockable* owner;
        guard(lockable* o) : owner(o) {}
        guard(guard&& other) : owner(std::exchange(other.owner, nullptr)) {}
        ~guard() {
            if (owner) owner->locked--;
        }
    };
    task<guard> lock() {
        co_await hop{};
        locked++;
        co_return guard(this);
    }
};

PROBE(awaited_lock_guard, 1) {
    lockable m;
    {
        auto g = co_await m.lock();
        EXPECT(m.locked == 1);
        co_await hop{};
        EXPECT(m.locked == 1);
    }
    EXPECT(m.locked == 0);
    {
        [[maybe_unused]] auto&& g = co_await m.lock();
        EXPECT(m.locked == 1);
        co_await hop{};
        EXPECT(m.locked == 1);
    }
    co_return m.locked == 0;
}

task<int> count_calls() {
    static thread_local int calls = 0;
    calls++;
    co_await hop{};
    co_return calls;
}

PROBE(static_thread_local, 1) { co_return co_await count_calls(); }

struct alignas(64) aligned_64 {
    char bytes[64];
};
bool is_aligned(const aligned_64& a) { return reinterpret_cast<std::size_t>(&a) % 64 == 0; }
task<int> aligned_in_the_frame(aligned_64 parameter) {
    aligned_64 local;
    co_await hop{};
    local.bytes[0] = 1;
    co_return is_aligned(local) && is_aligned(parameter);
}

// Frames come from operator new, which aligns to 16, and no compiler adds to that. Frames with gaps
// of different size between them are all aligned only if someone cares.
PROBE(overaligned_local, 1) {
    std::vector<task<int>> tasks;
    std::vector<std::unique_ptr<char[]>> gaps;
    tasks.reserve(8);
    gaps.reserve(8);
    for (int i = 0; i < 8; i++) {
        tasks.push_back(aligned_in_the_frame(aligned_64{}));
        gaps.push_back(std::make_unique<char[]>(16 * i + 24));
    }
    int all = 1;
    for (auto& t : tasks) all &= co_await std::move(t);
    co_return all;
}
