// tests/toolchain/init_list_of_awaits.cpp - an initializer list whose elements are awaited.
// SPDX-License-Identifier: MIT
//
// g++ 12 refuses: "array used as initializer".
#include "probe.hpp"

PROBE(awaited_objects, 6) {
    std::vector<tracked> v{co_await make(1), co_await make(2), co_await make(3)};
    int sum = 0;
    for (auto& t : v) sum += t.get();
    co_return sum;
}
