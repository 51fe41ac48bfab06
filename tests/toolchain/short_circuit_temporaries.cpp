// tests/toolchain/short_circuit_temporaries.cpp - class temporaries in && and || with a co_await.
// SPDX-License-Identifier: MIT
//
// g++ 12 breaks down here (gimple-low.cc); without the temporaries it is fine (conditionals.cpp).
#include "probe.hpp"

bool yes(const tracked& t) { return t.whole(); }

PROBE(and_or, 2) {
    int n = 0;
    if (yes(tracked(1)) && co_await by_value(tracked(2)) == 2 && yes(tracked(3))) n++;
    if (!yes(tracked(1)) || co_await by_value(tracked(2)) == 2) n++;
    co_return n;
}
