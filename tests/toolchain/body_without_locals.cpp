// tests/toolchain/body_without_locals.cpp - a body that declares nothing may await in a condition.
// SPDX-License-Identifier: MIT
//
// If the outermost block of a coroutine declares no variable and the condition of an if, a while or
// a switch awaits, g++ 12 makes a coroutine that returns at its first resume without having run one
// statement, and that is not done. Parameters do not count. A variable declared in the outermost
// block, or in the block the condition is in, helps.
#include "probe.hpp"

task<bool> truth(bool b) {
    co_await hop{};
    co_return b;
}

bool ran = false;

PROBE(condition_of_an_if, 1) {
    if (co_await truth(true)) co_return 1;
    co_return 0;
}

task<int> with_parameters(int a, int b) {
    if (co_await truth(a < b)) co_return a;
    co_return b;
}

PROBE(condition_of_an_if_in_a_body_with_parameters, 3) {
    int r = co_await with_parameters(3, 4);
    co_return r;
}

PROBE(condition_of_a_while, 1) {
    while (co_await truth(!ran)) ran = true;
    co_return ran;
}

PROBE(condition_of_a_switch, 1) {
    switch (co_await number(1)) {
        case 1:
            co_return 1;
    }
    co_return 0;
}

PROBE(condition_of_an_inner_if, 1) {
    if (!ran) {
        if (co_await truth(true)) ran = true;
    }
    co_return ran;
}

PROBE(condition_of_an_if_in_a_plain_block, 1) {
    {
        if (co_await truth(true)) ran = true;
    }
    co_return ran;
}

PROBE(condition_of_an_if_in_a_try, 1) {
    try {
        if (co_await truth(true)) ran = true;
    } catch (...) {
    }
    co_return ran;
}

// The same with a declaration somewhere.

PROBE(local_in_the_outermost_block, 1) {
    [[maybe_unused]] int local = 0;
    if (!ran) {
        if (co_await truth(true)) ran = true;
    }
    co_return ran;
}

PROBE(local_in_the_block_of_the_condition, 1) {
    if (!ran) {
        const bool answer = co_await truth(true);
        if (answer) ran = true;
    }
    co_return ran;
}

PROBE(local_in_a_loop_around_the_condition, 1) {
    for (int i = 0; i < 2; i++) {
        if (co_await truth(true)) ran = true;
    }
    co_return ran;
}

PROBE(local_declared_by_the_if, 1) {
    if (!ran) {
        if (const bool answer = co_await truth(true)) ran = true;
    }
    co_return ran;
}

PROBE(await_in_a_body_without_locals, 1) {
    if (!ran) {
        co_await hop{};
        ran = true;
    }
    co_return ran;
}
