// tests/toolchain/symmetric_transfer.cpp - symmetric transfer is a tail call: stacks do not grow.
// SPDX-License-Identifier: MIT
//
// g++ 12 makes it one only when it optimises, and not at all under its sanitizers. So a library
// must not count on it for chains of unknown length.
#include "probe.hpp"

task<void> leaf() { co_return; }

PROBE(a_loop_of_a_million_children, 1) {
    for (long i = 0; i < 1'000'000; i++) co_await leaf();
    co_return 1;
}

task<int> depth(int n) {
    if (n == 0) co_return 0;
    co_return 1 + co_await depth(n - 1);
}

PROBE(a_chain_of_children_100000_deep, 100'000) { co_return co_await depth(100'000); }
