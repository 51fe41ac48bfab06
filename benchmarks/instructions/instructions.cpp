// benchmarks/instructions/instructions.cpp - so many forks, awaits or spawned children on one worker; for table.py.
// SPDX-License-Identifier: MIT
#include <taskscope/executor.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/task_scope.hpp>
#include <taskscope/with_scope.hpp>
#include <taskscope/yield.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

namespace ts = taskscope;

ts::task<> nothing() { co_return; }

ts::task<> fork(long leaves) {
    if (leaves == 1) co_return;
    co_await ts::fork_join(fork(leaves / 2), fork(leaves - leaves / 2));
}

ts::task<> await(long n) {
    for (long i = 0; i < n; ++i) co_await nothing();
}

ts::task<> spawn(long n) {
    co_await ts::with_scope([n](ts::task_scope& s) -> ts::task<> {
        for (long i = 0; i < n; ++i) {
            s.spawn(nothing());
            if (i % 50 == 0)
                co_await ts::yield();  // they run, and their memory is there for others
        }
    });
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view what = argc == 3 ? argv[1] : "";
    const long n = argc == 3 ? std::strtol(argv[2], nullptr, 10) : 0;
    ts::executor ex{{.workers = 1}};
    if (what == "fork") {
        ex.run(fork(n));
    } else if (what == "await") {
        ex.run(await(n));
    } else if (what == "spawn") {
        ex.run(spawn(n));
    } else {
        std::fprintf(stderr, "usage: %s fork|await|spawn NUMBER\n", argv[0]);
        return 2;
    }
}
