// tests/scope/exception_group_test.cpp - several errors in one exception.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/exception_group.hpp>

#include <exception>
#include <string>
#include <vector>

namespace taskscope::test {
namespace {

recorded_error error(const std::string& what) { return std::make_exception_ptr(boom(what)); }

recorded_error group(const std::string& message, std::vector<recorded_error> errors) {
    return std::make_exception_ptr(exception_group(message, std::move(errors)));
}

std::vector<std::string> texts(const std::vector<recorded_error>& errors) {
    std::vector<std::string> result;
    for (const recorded_error& e : errors) result.push_back(describe(e.error));
    return result;
}

TEST(exception_group, says_how_many_errors_there_are_and_which) {
    EXPECT_STREQ(exception_group("both failed", {error("a"), error("b")}).what(),
                 "both failed (2 errors): a; b");
    EXPECT_STREQ(exception_group("failed", {error("a")}).what(), "failed (1 error): a");
    EXPECT_STREQ(exception_group("none", {}).what(), "none (0 errors)");
}

TEST(exception_group, shows_the_first_eight_texts_and_counts_the_rest) {
    std::vector<recorded_error> nine;
    for (int i = 0; i < 9; ++i) nine.push_back(error("x"));
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
    const recorded_error five = std::make_exception_ptr(5);
    EXPECT_STREQ(exception_group("m", {five}).what(), "m (1 error): unknown exception");
}

TEST(exception_group, holds_an_error_it_is_given_twice_once) {
    const recorded_error e = error("a");
    const exception_group g("m", {e, error("b"), e});
    EXPECT_THAT(texts(g.errors()), testing::ElementsAre("a", "b"));
    const exception_group outer("m", {e, group("inner", {e, error("c")})});
    EXPECT_THAT(texts(outer.flatten()), testing::ElementsAre("a", "c"));
}

TEST(exception_group, says_where_each_error_came_from_as_far_as_that_is_known) {
    const std::source_location here = std::source_location::current();
    const std::exception_ptr e = error("a").error;
    EXPECT_EQ(recorded_error(e).text(), "a");
    EXPECT_EQ(recorded_error(e, "/app").text(), "a [/app]");
    EXPECT_EQ(recorded_error(e, {}, "fetch").text(), "a [fetch]");
    EXPECT_EQ(recorded_error(e, "/app", "fetch", here).text(),
              "a [fetch in /app, " + place(here) + "]");
    const exception_group g("m", {{e, "/app", {}, here}});
    EXPECT_EQ(g.what(), "m (1 error): a [/app, " + place(here) + "]");
}

struct timeout_boom : boom {
    explicit timeout_boom(const std::string& what) : boom(what) {}
};

exception_group mixed() {
    const recorded_error late = std::make_exception_ptr(timeout_boom("late"));
    const recorded_error later = std::make_exception_ptr(timeout_boom("later"));
    return {"outer",
            {error("a"), group("inner", {late, error("b")}), later, group("deep", {error("c")})}};
}

TEST(exception_group, matches_by_type_and_keeps_the_nesting) {
    const auto late = mixed().match<timeout_boom>();
    ASSERT_TRUE(late.has_value());
    EXPECT_THAT(texts(late->errors()), testing::ElementsAre("inner (1 error): late", "later"));
    EXPECT_EQ(late->message(), "outer");
    EXPECT_EQ(mixed().match<boom>()->flatten().size(), 5U);
    EXPECT_FALSE(mixed().match<std::bad_alloc>().has_value());
}

TEST(exception_group, splits_into_what_matches_and_the_rest) {
    const auto [late, rest] = mixed().split<timeout_boom>();
    EXPECT_THAT(texts(late->flatten()), testing::ElementsAre("late", "later"));
    EXPECT_THAT(texts(rest->errors()),
                testing::ElementsAre("a", "inner (1 error): b", "deep (1 error): c"));
    const auto [all, nothing] = mixed().split<boom>();
    EXPECT_TRUE(all.has_value());
    EXPECT_FALSE(nothing.has_value());
}

TEST(exception_group, asks_a_predicate_about_each_error_and_about_no_group) {
    std::vector<std::string> asked;
    const auto short_text = [&](const std::exception_ptr& e) {
        asked.push_back(describe(e));
        return asked.back().size() == 1;
    };
    EXPECT_THAT(texts(mixed().match(short_text)->flatten()), testing::ElementsAre("a", "b", "c"));
    EXPECT_THAT(asked, testing::ElementsAre("a", "late", "b", "later", "c"));
}

// cases: T113
TEST(exception_group, is_flattened_depth_first) {
    const auto inner = group("inner", {error("b"), error("c")});
    const auto middle = group("middle", {inner, error("d")});
    const exception_group outer("outer", {error("a"), middle, error("e")});
    EXPECT_THAT(texts(outer.flatten()), testing::ElementsAre("a", "b", "c", "d", "e"));
    EXPECT_EQ(outer.errors().size(), 3U);
}

TEST(exception_group, nested_a_thousand_deep_is_flattened) {
    recorded_error e = error("leaf");
    for (int i = 0; i < 1000; ++i) e = group("", {e});
    try {
        std::rethrow_exception(e.error);
    } catch (const exception_group& g) {
        EXPECT_THAT(texts(g.flatten()), testing::ElementsAre("leaf"));
        EXPECT_THAT(texts(g.match<boom>()->flatten()), testing::ElementsAre("leaf"));
    }
}

TEST(exception_group, can_be_copied_and_keeps_the_errors_alive) {
    auto held = std::make_shared<int>();
    struct heavy : boom {
        explicit heavy(std::shared_ptr<int> p) : payload(std::move(p)) {}
        std::shared_ptr<int> payload;
    };
    {
        std::vector<recorded_error> errors{std::make_exception_ptr(heavy(held))};
        const exception_group original("m", std::move(errors));
        const exception_group copy = original;
        EXPECT_GT(held.use_count(), 1);
        EXPECT_STREQ(copy.what(), original.what());
        EXPECT_EQ(copy.errors()[0].error, original.errors()[0].error);
    }
    EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace taskscope::test
