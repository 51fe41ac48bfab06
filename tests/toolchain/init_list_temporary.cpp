// tests/toolchain/init_list_temporary.cpp - an initializer list of objects in a co_await.
// SPDX-License-Identifier: MIT
//
// g++ 12 refuses: "array used as initializer". Name the vector first. One probe per file, because a
// file that does not compile has no other verdicts.
#include "probe.hpp"

task<int> sum_of(std::vector<tracked> v) {
    co_await hop{};
    int sum = 0;
    for (auto& t : v) sum += t.get();
    co_return sum;
}

PROBE(objects, 6) { co_return co_await sum_of({tracked(1), tracked(2), tracked(3)}); }
