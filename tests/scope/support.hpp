// tests/scope/support.hpp - what the tests of this room share.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/taskscope.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <support/places.hpp>
#include <utility>

namespace taskscope::test {

struct boom : std::runtime_error {
    boom() : std::runtime_error("boom") {}
    explicit boom(const std::string& what) : std::runtime_error(what) {}
};

inline task<> throw_boom() {
    throw boom();
    co_return;
}
inline task<> wait_for(async_event& e) { co_await e.wait(); }
inline task<> wait_shielded(async_event& e) { co_await e.wait_shielded(); }

/// Runs a coroutine that is a lambda. Its captures live until it has ended.
template <class Body>
auto run(executor& ex, Body body) {
    return ex.run(body());
}

using support::place;

/// Every test has to give back all coroutine frames and child records.
class ledger_test : public testing::Test {
protected:
    ~ledger_test() override {
        EXPECT_EQ(frames().live, frames_before_) << "frames are left behind";
    }

private:
    const std::int64_t frames_before_ = frames().live;
};

/// The same with a number of workers.
class on_workers : public ledger_test, public testing::WithParamInterface<unsigned> {};

}  // namespace taskscope::test
