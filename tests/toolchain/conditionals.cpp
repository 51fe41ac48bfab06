// tests/toolchain/conditionals.cpp - co_await in and around ?:, &&, if, switch and loop conditions.
// SPDX-License-Identifier: MIT
//
// g++ 12 destroys the result of a ?: of class type twice if the statement awaits, too. Worse: in
// a co_return, an operand, an argument and the condition of a while it evaluates also what ?: or
// && did not choose, and evaluates it first.
#include "probe.hpp"

task<tracked> one_branch_awaits(bool c) { co_return c ? co_await make(1) : tracked(2); }

PROBE(one_branch_is_awaited, 1) {
    auto a = co_await one_branch_awaits(true);
    auto b = co_await one_branch_awaits(false);
    EXPECT(b.get() == 2);
    co_return a.get();
}

task<int> choose_argument(bool c) { co_return co_await by_value(c ? tracked(1) : tracked(2)); }

PROBE(argument_is_a_conditional, 3) {
    co_return co_await choose_argument(true) + co_await choose_argument(false);
}

task<int> both_branches_await(bool c) {
    auto t = c ? co_await make(1) : co_await make(2);
    co_return t.get();
}

PROBE(both_branches_are_awaited, 3) {
    int a = co_await both_branches_await(true);
    int b = co_await both_branches_await(false);
    co_return a + b;
}

PROBE(argument_is_a_conditional_that_awaits, 2) {
    bool c = true;
    int r = co_await by_value(c ? co_await make(2) : tracked(1));
    co_return r;
}

task<int> choose_number(bool c) {
    int x = c ? co_await number(1) : 2;
    co_return x;
}

PROBE(branches_of_trivial_type, 3) {
    co_return co_await choose_number(true) + co_await choose_number(false);
}

task<int> choose_first(bool c) {
    tracked t = c ? tracked(1) : tracked(2);
    co_return co_await by_value(std::move(t));
}

PROBE(conditional_in_a_statement_of_its_own, 3) {
    co_return co_await choose_first(true) + co_await choose_first(false);
}

task<int> choose_without_await(bool c) {
    co_await hop{};
    int r = (c ? tracked(1) : tracked(2)).get();
    std::string s = c ? std::string("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") : std::string("b");
    EXPECT(s.size() == (c ? 41 : 1));
    co_return r;
}

PROBE(conditional_without_await, 3) {
    co_return co_await choose_without_await(true) + co_await choose_without_await(false);
}

task<tracked> return_chosen(bool c) {
    co_await hop{};
    co_return c ? tracked(1) : tracked(2);
}

PROBE(co_return_conditional_without_await, 3) {
    int a = (co_await return_chosen(true)).get();
    int b = (co_await return_chosen(false)).get();
    co_return a + b;
}

task<void> nothing() { co_await hop{}; }

PROBE(branches_of_type_void, 1) {
    bool c = true;
    c ? co_await nothing() : (void)0;
    co_return 1;
}

PROBE(logical_and, 1) {
    int n = 0;
    if (co_await number(1) && co_await by_value(tracked(1))) n = 1;
    if (co_await number(0) && co_await by_value(tracked(1))) n = 2;
    co_return n;
}

PROBE(switch_on_an_await, 4) {
    int r = 0;
    switch (co_await number(2)) {
        case 1:
            r = 1;
            break;
        case 2: {
            tracked t(4);
            r = co_await by_value(t);
            break;
        }
        default:
            r = 3;
    }
    co_return r;
}

PROBE(while_condition, 3) {
    int i = 0;
    while (co_await by_value(tracked(i)) < 3) {
        tracked k(i);
        co_await hop{};
        i++;
    }
    co_return i;
}

PROBE(all_parts_of_a_for_with_continue, 4) {
    int n = 0;
    for (int i = co_await number(0); i < co_await number(6); i += co_await number(1)) {
        tracked t(i);
        if (i % 3 == 0) continue;
        co_await by_value(std::move(t));
        n++;
    }
    co_return n;
}

PROBE(if_with_initializer, 2) {
    if (auto t = co_await make(2); t.get() == 2) {
        co_await hop{};
        co_return t.get();
    } else {
        co_return 0;
    }
}

task<void> set(bool& b) {
    co_await hop{};
    b = true;
}

PROBE(branches_without_braces, 1) {
    bool b = false;
    if (true)
        co_await set(b);
    else
        co_await hop{};
    co_return b;
}

// What is not chosen is not evaluated, whatever its type.

int calls = 0;
task<int> counted(int i) {
    ++calls;
    co_return i;
}

PROBE(unchosen_branch_of_an_initializer, 0) {
    int r = calls == 0 ? 0 : co_await counted(1);
    co_return calls + r;
}

PROBE(unchosen_branch_of_an_assignment, 0) {
    int r = 7;
    r = calls == 0 ? 0 : co_await counted(1);
    co_return calls + r;
}

PROBE(unchosen_branch_of_a_statement, 0) {
    calls == 0 ? (void)0 : (void)co_await counted(1);
    co_return calls;
}

PROBE(unchosen_branch_of_an_operand, 0) {
    int r = 0 + (calls == 0 ? 0 : co_await counted(1));
    co_return calls + r;
}

task<int> return_unchosen() { co_return calls == 0 ? 0 : co_await counted(1); }

PROBE(unchosen_branch_of_a_co_return, 0) {
    int r = co_await return_unchosen();
    co_return calls + r;
}

PROBE(unchosen_branch_of_an_argument, 0) {
    int r = co_await number(calls == 0 ? 0 : co_await counted(1));
    co_return calls + r;
}

PROBE(right_side_of_and_in_an_initializer, 0) {
    bool r = calls != 0 && co_await counted(1);
    co_return calls + r;
}

PROBE(right_side_of_and_in_an_if, 0) {
    [[maybe_unused]] int local = 0;  // for body_without_locals.cpp
    if (calls != 0 && co_await counted(1)) co_return 7;
    co_return calls;
}

PROBE(right_side_of_or_in_an_if, 0) {
    [[maybe_unused]] int local = 0;  // for body_without_locals.cpp
    if (calls == 0 || co_await counted(1)) co_return calls;
    co_return 7;
}

PROBE(right_side_of_and_between_awaits, 0) {
    [[maybe_unused]] int local = 0;  // for body_without_locals.cpp
    if (co_await number(0) && co_await counted(1)) co_return 7;
    co_return calls;
}

PROBE(right_side_of_and_in_a_while, 0) {
    [[maybe_unused]] int local = 0;  // for body_without_locals.cpp
    while (calls != 0 && co_await counted(1)) co_return 7;
    co_return calls;
}

task<int> return_and() { co_return calls != 0 && co_await counted(1); }

PROBE(right_side_of_and_in_a_co_return, 0) {
    int r = co_await return_and();
    co_return calls + r;
}

PROBE(right_side_of_and_in_an_argument, 0) {
    int r = co_await number(calls != 0 && co_await counted(1));
    co_return calls + r;
}

PROBE(operand_is_a_conditional_between_tasks, 1) {
    bool c = true;
    co_return co_await (c ? number(1) : number(2));
}

PROBE(branches_are_awaits_of_tasks, 1) {
    bool c = true;
    co_return c ? co_await number(1) : co_await number(2);
}
