// tests/model/await_model.cpp - the places a task awaits at, written while others read them.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/await_trace.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <memory>
#include <model/checker/model.hpp>
#include <source_location>
#include <thread>

namespace {

using taskscope::detail::await_list;
using taskscope::detail::await_trace;

/// Stands for a place: lists only hand it on.
std::source_location number(std::uintptr_t n) {
    return std::bit_cast<std::source_location>(16 * n);
}

/// `n` places, all of them number `n`, and 10 * n that are not listed.
await_list of(std::uint32_t n) {
    await_list list;
    for (std::uint32_t i = 0; i < n; ++i) list.add(number(n));
    list.unlisted = 10 * n;
    return list;
}

/// Which list was read; 0: there was none yet. Checks that it is whole.
std::uint32_t read(const await_trace& trace) {
    await_list list;
    if (!trace.read(list)) return 0;
    model::check(list.unlisted == 10 * list.count, "both numbers are of one list");
    for (std::uint32_t i = 0; i < list.count; ++i) {
        model::check(std::bit_cast<std::uintptr_t>(list.places[i]) == 16 * list.count,
                     "places and numbers are of one list");
    }
    return list.count;
}

TEST(AwaitModel, WhatIsReadIsOneListWhileAnotherIsWritten) {
    model::expect_holds([] {
        const auto trace = std::make_unique<await_trace>();
        std::thread task([&] {
            trace->write(of(1));
            trace->write(of(2));
        });
        read(*trace);
        task.join();
        model::check(read(*trace) == 2, "the last one stays");
    });
}

TEST(AwaitModel, OfTwoBranchesOneWrites) {
    model::expect_holds([] {
        const auto trace = std::make_unique<await_trace>();
        std::thread one([&] { trace->write(of(1)); });
        std::thread two([&] { trace->write(of(2)); });
        read(*trace);
        one.join();
        two.join();
        model::check(read(*trace) != 0, "one of them came through");
    });
}

}  // namespace
