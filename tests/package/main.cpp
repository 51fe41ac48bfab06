// tests/package/main.cpp - a program of a user of the installed package; knows nothing of our tree.
// SPDX-License-Identifier: MIT
#include <taskscope/taskscope.hpp>

#include <atomic>
#include <cstdio>

namespace ts = taskscope;

namespace {

ts::task<int> twice(int x) { co_return 2 * x; }

ts::task<int> sum() {
    auto [a, b] = co_await ts::fork_join(twice(1), twice(20));
    co_return a + b;
}

constexpr int spawners = 4;
constexpr int children_each = 250;

ts::task<> count(std::atomic<int>& finished, int& own) {
    own += 1;  // plain memory that moves from thread to thread with its task
    co_await ts::yield();
    own += 1;
    finished.fetch_add(1, std::memory_order_relaxed);
}

// Spawns into the scope of its parent, from whichever worker runs it.
ts::task<> spawn_many(ts::task_scope& scope, std::atomic<int>& finished, int* own) {
    for (int i = 0; i < children_each; ++i) scope.spawn(count(finished, own[i]));
    co_return;
}

// How many children were not run exactly once, from start to end.
ts::task<int> lost_children() {
    static int own[spawners][children_each];
    std::atomic<int> finished{0};
    auto body = [&](ts::task_scope& scope) -> ts::task<> {
        for (int i = 0; i < spawners; ++i) scope.spawn(spawn_many(scope, finished, own[i]));
        co_return;
    };
    co_await ts::with_scope(body);

    int lost = spawners * children_each - finished.load(std::memory_order_relaxed);
    for (const auto& row : own) {
        for (const int steps : row) lost += steps == 2 ? 0 : 1;
    }
    co_return lost;
}

}  // namespace

int main() {
    ts::executor ex{{.workers = 2}};
    const int answer = ex.run(sum());
    const int lost = ex.run(lost_children());
    std::printf("answer %d, lost children %d\n", answer, lost);
    return answer == 42 && lost == 0 ? 0 : 1;
}
