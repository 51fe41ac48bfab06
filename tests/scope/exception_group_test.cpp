// tests/scope/exception_group_test.cpp - several errors in one exception.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/exception_group.hpp>

#include <exception>
#include <string>
#include <vector>

namespace taskscope::test {
namespace {

std::exception_ptr error(const std::string& what) { return std::make_exception_ptr(boom(what)); }

std::vector<std::string> texts(const std::vector<std::exception_ptr>& errors) {
    std::vector<std::string> result;
    for (const std::exception_ptr& e : errors) result.push_back(describe(e));
    return result;
}

TEST(exception_group, says_how_many_errors_there_are_and_which) {
    EXPECT_STREQ(exception_group("both failed", {error("a"), error("b")}).what(),
                 "both failed (2 errors): a; b");
    EXPECT_STREQ(exception_group("failed", {error("a")}).what(), "failed (1 error): a");
    EXPECT_STREQ(exception_group("none", {}).what(), "none (0 errors)");
}

TEST(exception_group, shows_the_first_eight_texts_and_counts_the_rest) {
    std::vector<std::exception_ptr> nine(9, error("x"));
    EXPECT_STREQ(exception_group("m", nine).what(),
                 "m (9 errors): x; x; x; x; x; x; x; x; and 1 more");
}

TEST(exception_group, counts_dropped_errors_in_its_text) {
    const exception_group g("m", {error("a")}, 5);
    EXPECT_EQ(g.dropped(), 5U);
    EXPECT_EQ(g.errors().size(), 1U);
    EXPECT_STREQ(g.what(), "m (6 errors): a; and 5 more");
}

TEST(exception_group, tells_an_error_without_text_as_unknown) {
    EXPECT_STREQ(exception_group("m", {std::make_exception_ptr(5)}).what(),
                 "m (1 error): unknown exception");
}

TEST(exception_group, is_flattened_depth_first) {
    const auto inner = std::make_exception_ptr(exception_group("inner", {error("b"), error("c")}));
    const auto middle = std::make_exception_ptr(exception_group("middle", {inner, error("d")}));
    const exception_group outer("outer", {error("a"), middle, error("e")});
    EXPECT_THAT(texts(outer.flatten()), testing::ElementsAre("a", "b", "c", "d", "e"));
    EXPECT_EQ(outer.errors().size(), 3U);
}

TEST(exception_group, nested_a_thousand_deep_is_flattened) {
    std::exception_ptr e = error("leaf");
    for (int i = 0; i < 1000; ++i) e = std::make_exception_ptr(exception_group("", {e}));
    try {
        std::rethrow_exception(e);
    } catch (const exception_group& g) {
        EXPECT_THAT(texts(g.flatten()), testing::ElementsAre("leaf"));
    }
}

TEST(exception_group, can_be_copied_and_keeps_the_errors_alive) {
    auto held = std::make_shared<int>();
    struct heavy : boom {
        explicit heavy(std::shared_ptr<int> p) : payload(std::move(p)) {}
        std::shared_ptr<int> payload;
    };
    {
        std::vector<std::exception_ptr> errors{std::make_exception_ptr(heavy(held))};
        const exception_group original("m", std::move(errors));
        const exception_group copy = original;
        EXPECT_GT(held.use_count(), 1);
        EXPECT_STREQ(copy.what(), original.what());
        EXPECT_EQ(copy.errors(), original.errors());
    }
    EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace taskscope::test
