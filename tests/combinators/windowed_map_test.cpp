// tests/combinators/windowed_map_test.cpp - never more than n at once, and nothing pulled before its time.
// SPDX-License-Identifier: MIT
#include <taskscope/windowed_map.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <ranges>
#include <scope/support.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

class mapping : public ledger_test {
protected:
    task<int> twice(int i) {
        most = std::max(most, ++running);
        co_await sleep_for(i * 10ms);
        --running;
        seen.push_back(std::to_string(i));
        co_return 2 * i;
    }

    manual_executor ex;
    int running = 0;
    int most = 0;
    int pulled = 0;
    std::vector<std::string> seen;
};

// cases: T311, T440
TEST_F(mapping, keeps_the_order_of_the_range_and_never_runs_more_than_n) {
    const std::vector<int> input = {5, 1, 3, 2, 4, 1};
    run(ex, [&]() -> task<> {
        const auto f = [&](int i) { return twice(i); };
        const std::vector<int> values = co_await windowed_map(2, input, f);
        EXPECT_THAT(values, ElementsAre(10, 2, 6, 4, 8, 2));
    });
    EXPECT_EQ(most, 2);
    EXPECT_THAT(seen, ElementsAre("1", "3", "5", "2", "1", "4"));
    EXPECT_TRUE(ex.idle());
}

TEST_F(mapping, with_more_room_than_elements_runs_all_at_once) {
    const auto began = ex.now();
    run(ex, [&]() -> task<> {
        const auto f = [&](int i) { return twice(i); };
        const std::vector<int> values = co_await windowed_map(1000, std::views::iota(1, 4), f);
        EXPECT_THAT(values, ElementsAre(2, 4, 6));
        const std::vector<int> none = co_await windowed_map(3, std::views::iota(0, 0), f);
        EXPECT_THAT(none, IsEmpty());
    });
    EXPECT_EQ(most, 3);
    EXPECT_EQ(ex.now(), began + 30ms);
}

// cases: T311
TEST_F(mapping, pulls_an_element_when_there_is_a_place_for_it) {
    const auto make = [&](int i) {
        ++pulled;
        return i;
    };
    auto range = std::views::iota(1) | std::views::transform(make);  // without an end
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        const auto f = [&](int) { return twice(1); };
        co_await windowed_map(3, range, f);
    });
    ex.run_ready();
    EXPECT_EQ(pulled, 3);
    ex.advance(10ms);
    EXPECT_EQ(pulled, 6);
    EXPECT_EQ(most, 3);
    all.request_stop();
    all.blocking_join();
    EXPECT_EQ(pulled, 6);
    EXPECT_EQ(all.counts().stopped, 1U);
}

// cases: T311
TEST_F(mapping, stops_pulling_at_the_first_error_and_throws_all_of_them) {
    const auto f = [&](int i) -> task<> {
        ++pulled;
        if (i == 2) {
            co_await sleep_for(10ms);
            throw boom("two");
        }
        async_event never;
        [[maybe_unused]] const bool b = co_await never.wait_until_shielded(ex.now() + 20ms);
        throw boom("other");
    };
    run(ex, [&]() -> task<> {
        try {
            co_await windowed_map(2, std::views::iota(1), f);
            ADD_FAILURE() << "no error";
        } catch (const exception_group& e) {
            for (const auto& error : e.errors()) seen.push_back(describe(error.error));
        }
    });
    EXPECT_THAT(seen, ElementsAre("two", "other"));
    EXPECT_EQ(pulled, 2);
}

// cases: T312
TEST_F(mapping, reports_an_error_of_the_range_when_those_that_run_have_ended) {
    const auto make = [](int i) {
        if (i == 3) throw boom("range");
        return i;
    };
    const auto f = [&](int i) -> task<int> {
        async_event never;
        [[maybe_unused]] const bool b = co_await never.wait_until_shielded(ex.now() + 20ms);
        seen.push_back("end of " + std::to_string(i));
        co_return i;
    };
    auto range = std::views::iota(1) | std::views::transform(make);
    run(ex, [&]() -> task<> {
        try {
            co_await windowed_map(5, range, f);
        } catch (const exception_group& e) {
            for (const auto& error : e.errors()) seen.push_back(describe(error.error));
        }
    });
    EXPECT_THAT(seen, ElementsAre("end of 1", "end of 2", "range"));
}

TEST_F(mapping, takes_what_the_call_throws_for_an_error_too) {
    const auto f = [](int) -> task<> { throw boom("call"); };  // no coroutine
    const auto body = [&]() -> task<> { co_await windowed_map(5, std::views::iota(1, 9), f); };
    EXPECT_THROW(run(ex, body), exception_group);
}

TEST_F(mapping, completes_as_stopped_if_an_element_does) {
    const auto f = [&](int i) -> task<int> {
        if (i == 2) co_await just_stopped();
        co_await sleep_for(1h);
        co_return i;
    };
    run(ex, [&]() -> task<> {
        const auto end = co_await settle(windowed_map(2, std::views::iota(1), f));
        EXPECT_TRUE(end.is_stopped());
    });
}

TEST_F(mapping, moves_out_of_a_range_it_was_given_and_copies_from_others) {
    const auto length = [](std::string s) -> task<std::size_t> { co_return s.size(); };
    const auto value = [](std::unique_ptr<int> p) -> task<int> { co_return *p; };
    run(ex, [&]() -> task<> {
        std::vector<std::unique_ptr<int>> owned;
        owned.push_back(std::make_unique<int>(1));
        owned.push_back(std::make_unique<int>(2));
        const std::vector<int> values = co_await windowed_map(2, std::move(owned), value);
        EXPECT_THAT(values, ElementsAre(1, 2));
        const std::string text = "a string that is too long to be short";
        std::vector<std::string> lent = {text, "b"};
        const auto sizes = co_await windowed_map(2, lent, length);
        EXPECT_THAT(sizes, ElementsAre(text.size(), 1U));
        EXPECT_THAT(lent, ElementsAre(text, "b"));
        std::istringstream words("to be or");
        auto input = std::views::istream<std::string>(words);  // can be read once
        const auto three = co_await windowed_map(2, input, length);
        EXPECT_THAT(three, ElementsAre(2U, 2U, 2U));
    });
}

// cases: T316
TEST_F(mapping, needs_no_stack_for_what_completes_at_once) {
    const auto f = [](int i) -> task<int> { co_return i; };
    run(ex, [&]() -> task<> {
        const auto values = co_await windowed_map(1, std::views::iota(0, 50'000), f);
        EXPECT_EQ(values.size(), 50'000U);
    });
}

TEST_F(mapping, needs_room_for_one) {
    const auto f = [&](int i) { return twice(i); };
    const auto body = [&]() -> task<> { co_await windowed_map(0, std::views::iota(1, 9), f); };
    EXPECT_THROW(run(ex, body), misuse_error);
}

class mapping_races : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, mapping_races, testing::Values(1, 2, 8));

// cases: T311, T440
TEST_P(mapping_races, of_many_lanes_on_one_range) {
    int pulled = 0;  // plain: one lane at a time pulls
    std::atomic<int> running{0};
    std::atomic<bool> too_many{false};
    const auto make = [&](int i) {
        ++pulled;
        return i;
    };
    const auto f = [&](int i) -> task<int> {
        if (running.fetch_add(1) >= 4) too_many = true;
        co_await yield();
        running.fetch_sub(1);
        co_return i;
    };
    run(ex, [&]() -> task<> {
        auto range = std::views::iota(0, 3000) | std::views::transform(make);
        const std::vector<int> values = co_await windowed_map(4, range, f);
        EXPECT_EQ(values.size(), 3000U);
        EXPECT_TRUE(std::ranges::is_sorted(values));
    });
    EXPECT_EQ(pulled, 3000);
    EXPECT_FALSE(too_many);
}

}  // namespace
}  // namespace taskscope::test
