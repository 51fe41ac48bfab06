// tests/toolchain/init_list_of_numbers.cpp - an initializer list of numbers in a co_await.
// SPDX-License-Identifier: MIT
//
// g++ 12 refuses even this: "array used as initializer".
#include "probe.hpp"

task<int> sum_of(std::vector<int> v) {
    co_await hop{};
    int sum = 0;
    for (int i : v) sum += i;
    co_return sum;
}

PROBE(numbers, 6) { co_return co_await sum_of({1, 2, 3}); }
