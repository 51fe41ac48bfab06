// tests/scope/scope_tree_test.cpp - snapshots of a tree, as data, text and JSON, also while it runs.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/scope_tree.hpp>

#include <array>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

// A JSON value, and a parser that accepts RFC 8259 and nothing else. Throws boom.
struct json {
    enum class kind { null, boolean, number, string, array, object } is = kind::null;
    bool truth = false;
    double number = 0;
    std::string text;
    std::vector<json> items;
    std::map<std::string, json> members;

    const json& operator[](const std::string& name) const {
        const auto found = members.find(name);
        if (found == members.end()) throw boom("no member " + name);
        return found->second;
    }
};

class json_parser {
public:
    explicit json_parser(std::string_view text) : text_(text) {}

    json parse() {
        json v = value();
        skip_space();
        if (at_ != text_.size()) fail("something follows");
        return v;
    }

private:
    [[noreturn]] void fail(const std::string& why) const {
        throw boom("JSON, byte " + std::to_string(at_) + ": " + why);
    }
    void skip_space() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos)
            ++at_;
    }
    char next() {
        if (at_ == text_.size()) fail("it ends too early");
        return text_[at_++];
    }
    void expect(std::string_view word) {
        for (const char c : word) {
            if (next() != c) fail("expected " + std::string(word));
        }
    }
    bool accept(char c) {
        skip_space();
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    json value() {
        skip_space();
        json v;
        if (at_ == text_.size()) fail("it ends too early");
        switch (text_[at_]) {
            case '{':
                v.is = json::kind::object;
                object(v);
                break;
            case '[':
                v.is = json::kind::array;
                array(v);
                break;
            case '"':
                v.is = json::kind::string;
                v.text = string();
                break;
            case 't':
            case 'f':
                v.is = json::kind::boolean;
                v.truth = text_[at_] == 't';
                expect(v.truth ? "true" : "false");
                break;
            case 'n':
                expect("null");
                break;
            default:
                v.is = json::kind::number;
                v.number = number();
        }
        return v;
    }
    void object(json& v) {
        expect("{");
        if (accept('}')) return;
        do {
            skip_space();
            std::string name = string();
            if (!accept(':')) fail("expected a colon");
            if (!v.members.emplace(std::move(name), value()).second) fail("a member comes twice");
        } while (accept(','));
        if (!accept('}')) fail("expected }");
    }
    void array(json& v) {
        expect("[");
        if (accept(']')) return;
        do {
            v.items.push_back(value());
        } while (accept(','));
        if (!accept(']')) fail("expected ]");
    }
    double number() {
        const std::size_t start = at_;
        if (at_ < text_.size() && text_[at_] == '-') ++at_;
        if (at_ == text_.size() || std::isdigit(static_cast<unsigned char>(text_[at_])) == 0)
            fail("no value");
        if (text_[at_] == '0' && at_ + 1 < text_.size() &&
            std::isdigit(static_cast<unsigned char>(text_[at_ + 1])) != 0)
            fail("a number begins with 0");
        while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0)
            ++at_;
        return std::strtod(std::string(text_.substr(start, at_ - start)).c_str(), nullptr);
    }
    std::string string() {
        expect("\"");
        std::string s;
        for (;;) {
            const auto c = static_cast<unsigned char>(next());
            if (c == '"') return s;
            if (c < 0x20) fail("a control byte in a string");
            if (c == '\\') {
                escape(s);
            } else if (c < 0x80) {
                s += static_cast<char>(c);
            } else {
                --at_;
                utf8(s);
            }
        }
    }
    void escape(std::string& s) {
        const char c = next();
        if (c == '"' || c == '\\' || c == '/') {
            s += c;
        } else if (c == 'u') {
            unsigned code = 0;
            for (int i = 0; i < 4; ++i) {
                const char h = next();
                if (std::isxdigit(static_cast<unsigned char>(h)) == 0) fail("no hex digit");
                code = code * 16 + static_cast<unsigned>(std::stoi(std::string(1, h), nullptr, 16));
            }
            if (code == 0xfffd) {
                s += "\xef\xbf\xbd";
            } else if (code < 0x80) {
                s += static_cast<char>(code);
            } else {
                fail("an escape that is not expected here");
            }
        } else {
            fail("an unknown escape");
        }
    }
    // One code point, in its shortest form, no surrogate. Decodes, where the library looks at bytes.
    void utf8(std::string& s) {
        const std::size_t start = at_;
        const auto lead = static_cast<unsigned char>(next());
        const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : -1;
        if (more < 0) fail("a continuation byte alone");
        unsigned code = lead & (0x3fU >> more);
        for (int i = 0; i < more; ++i) {
            const auto c = static_cast<unsigned char>(next());
            if ((c & 0xc0U) != 0x80) fail("no continuation byte");
            code = code << 6 | (c & 0x3fU);
        }
        constexpr std::array<unsigned, 4> smallest{0, 0x80, 0x800, 0x10000};
        if (code < smallest[static_cast<std::size_t>(more)]) fail("an overlong form");
        if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) fail("no code point");
        s += text_.substr(start, at_ - start);
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

json parse(const std::string& text) { return json_parser(text).parse(); }

class trees : public ledger_test {
protected:
    manual_executor ex;
    async_event release;
};

std::vector<std::string> paths(const tree_snapshot& t) {
    std::vector<std::string> result;
    for (const scope_info& s : t.scopes) result.push_back(s.path);
    return result;
}

// cases: T373
TEST_F(trees, are_listed_parents_first_and_siblings_in_order_of_creation) {
    task_scope a{ex, {.name = "a"}};
    task_scope b{ex, {.name = "b"}};
    task_scope a1{a, {.name = "1"}};
    task_scope a2{a, {.name = "2"}};
    task_scope a11{a1, {.name = "1"}};
    const tree_snapshot all = snapshot(ex.root());
    EXPECT_THAT(paths(all), ElementsAre("/", "/a", "/a/1", "/a/1/1", "/a/2", "/b"));
    const tree_snapshot part = snapshot(a1);
    EXPECT_THAT(paths(part), ElementsAre("/a/1", "/a/1/1"));
    EXPECT_EQ(part.scopes[0].depth, 0U);
    EXPECT_EQ(part.scopes[1].depth, 1U);
    EXPECT_EQ(all.scopes[3].depth, 3U);
}

// cases: T041
TEST_F(trees, forget_scopes_that_have_ended) {
    task_scope a{ex, {.name = "a"}};
    {
        task_scope b{a, {.name = "b"}};
        task_scope c{a, {.name = "c"}};
        b.blocking_join();
        EXPECT_THAT(paths(snapshot(ex.root())), ElementsAre("/", "/a", "/a/c"));
    }
    EXPECT_THAT(paths(snapshot(ex.root())), ElementsAre("/", "/a"));
}

// cases: T051, T389, S31
TEST_F(trees, show_state_figures_age_and_children) {
    task_scope s{ex, {.name = "jobs", .policy = ignore_errors}};
    const std::source_location here = std::source_location::current();
    s.spawn({.name = "first"}, wait_for, std::ref(release));
    s.spawn(wait_for, std::ref(release));
    s.spawn(throw_boom);
    ex.advance(1500ms);
    s.close();
    static_cast<void>(s.try_spawn([] {}));
    const scope_info info = snapshot(s).scopes.at(0);
    EXPECT_EQ(info.name, "jobs");
    EXPECT_EQ(info.counts.live, 2U);
    EXPECT_EQ(info.counts.spawned, 3U);
    EXPECT_EQ(info.counts.failed, 1U);
    EXPECT_EQ(info.counts.refused, 1U);
    EXPECT_TRUE(info.closed);
    EXPECT_TRUE(info.has_errors);
    EXPECT_EQ(info.stop_reason, nullptr);
    EXPECT_FALSE(info.ended);
    EXPECT_EQ(info.age, 1500ms);
    EXPECT_EQ(info.opened_at.line(), here.line() - 1);
    ASSERT_EQ(info.children.size(), 2U);
    EXPECT_EQ(info.children_unlisted, 0U);
    std::map<std::string, std::string> children;
    for (const child_info& c : info.children) children[c.name] = place(c.spawned_at);
    EXPECT_EQ(children["first"], "scope_tree_test.cpp:" + std::to_string(here.line() + 1));
    EXPECT_EQ(children[""], "scope_tree_test.cpp:" + std::to_string(here.line() + 2));
    release.set();
    s.blocking_join();
    EXPECT_TRUE(snapshot(s).scopes.at(0).ended);
}

TEST_F(trees, list_as_many_children_as_are_asked_for_and_count_the_rest) {
    task_scope s{ex};
    for (int i = 0; i < 20; ++i) s.spawn(wait_for, std::ref(release));
    EXPECT_EQ(snapshot(s).scopes[0].children.size(), 8U);
    EXPECT_EQ(snapshot(s).scopes[0].children_unlisted, 12U);
    EXPECT_EQ(snapshot(s, 100).scopes[0].children.size(), 20U);
    EXPECT_TRUE(snapshot(s, 0).scopes[0].children.empty());
    EXPECT_EQ(snapshot(s, 0).scopes[0].counts.live, 20U);
    release.set();
    s.blocking_join();
}

// cases: T389
TEST_F(trees, as_text_are_indented_by_depth) {
    task_scope app{ex, {.name = "app"}};
    task_scope handlers{app, {.name = "handlers"}};
    const std::string line = std::to_string(__LINE__ + 1);
    handlers.spawn({.name = "GET /"}, wait_for, std::ref(release));
    for (int i = 0; i < 10; ++i) app.spawn(wait_for, std::ref(release));
    handlers.request_stop();
    std::string expected = "app  10 live, 10 spawned\n";
    for (int i = 0; i < 8; ++i)
        expected += "  - task (scope_tree_test.cpp:" + std::to_string(__LINE__ - 4) + ")\n";
    expected += "  - and 2 more\n";
    expected += "  handlers  1 live, 1 spawned, stop requested (request)\n";
    expected += "    - GET / (scope_tree_test.cpp:" + line + ")\n";
    EXPECT_EQ(dump(app), expected);
    EXPECT_THAT(dump_tree(ex), testing::StartsWith("/  0 live\n  app  10 live"));
    release.set();
    handlers.blocking_join();
    app.blocking_join();
}

TEST_F(trees, as_json_say_the_same_as_the_snapshot) {
    task_scope app{ex, {.name = "app", .policy = ignore_errors}};
    task_scope handlers{app, {.name = "handlers"}};
    app.spawn(throw_boom);
    ex.run_ready();
    for (int i = 0; i < 9; ++i) handlers.spawn({.name = "h"}, wait_for, std::ref(release));
    handlers.close();
    ex.advance(42ms);
    const json all = parse(dump_tree(ex, format::json));
    ASSERT_EQ(all["scopes"].items.size(), 3U);
    const tree_snapshot t = snapshot(ex.root());
    for (std::size_t i = 0; i < 3; ++i) {
        const json& j = all["scopes"].items[i];
        const scope_info& s = t.scopes[i];
        EXPECT_EQ(j["path"].text, s.path);
        EXPECT_EQ(j["name"].text, s.name);
        EXPECT_EQ(j["depth"].number, static_cast<double>(s.depth));
        EXPECT_EQ(j["live"].number, static_cast<double>(s.counts.live));
        EXPECT_EQ(j["scopes"].number, static_cast<double>(s.counts.scopes));
        EXPECT_EQ(j["spawned"].number, static_cast<double>(s.counts.spawned));
        EXPECT_EQ(j["failed"].number, static_cast<double>(s.counts.failed));
        EXPECT_EQ(j["closed"].truth, s.closed);
        EXPECT_EQ(j["stop_requested"].truth, s.stop_reason != nullptr);
        EXPECT_EQ(j["has_errors"].truth, s.has_errors);
        EXPECT_EQ(j["age_ms"].number, static_cast<double>(s.age.count()));
        EXPECT_EQ(j["opened_at"].text, i == 0 ? ":0" : place(s.opened_at));
        EXPECT_EQ(j["children"].items.size(), s.children.size());
        EXPECT_EQ(j["children_unlisted"].number, static_cast<double>(s.children_unlisted));
    }
    EXPECT_EQ(all["scopes"].items[2]["children"].items[0]["name"].text, "h");
    release.set();
    handlers.blocking_join();
    app.blocking_join();
}

task<> wait_deeper(async_event& e) { co_await wait_for(e); }

// cases: T390
TEST_F(trees, show_what_children_await) {
    manual_executor traced{{.trace_awaits = true}};
    traced.root().spawn({.name = "begun"}, wait_deeper, std::ref(release));
    traced.run_ready();
    traced.root().spawn({.name = "ready"}, wait_deeper, std::ref(release));
    const tree_snapshot t = snapshot(traced.root());
    const std::vector<child_info>& children = t.scopes[0].children;
    ASSERT_EQ(children.size(), 2U);
    const child_info& begun = children[children[0].name == "begun" ? 0 : 1];
    ASSERT_EQ(begun.await_chain.size(), 2U);
    const std::string leaf = place(begun.await_chain[0]);
    const std::string root = place(begun.await_chain[1]);
    EXPECT_THAT(dump_tree(traced),
                HasSubstr(", suspended at " + leaf + ", awaited at " + root + "\n"));
    const json all = parse(dump_tree(traced, format::json));
    for (const json& c : all["scopes"].items[0]["children"].items) {
        if (c["name"].text == "ready") {
            EXPECT_FALSE(c.members.contains("suspended_at"));
            EXPECT_TRUE(c["await_chain"].items.empty());
            continue;
        }
        EXPECT_EQ(c["suspended_at"].text, leaf);
        ASSERT_EQ(c["await_chain"].items.size(), 2U);
        EXPECT_EQ(c["await_chain"].items[0].text, leaf);
        EXPECT_EQ(c["await_chain"].items[1].text, root);
        EXPECT_EQ(c["awaits_unlisted"].number, 0);
    }
    release.set();
    traced.run_ready();
}

TEST_F(trees, as_json_survive_hostile_names) {
    const std::string replaced = "\xef\xbf\xbd";
    const std::vector<std::pair<std::string, std::string>> names{
        {"\"},{\"name\":\"forged\"", "\"},{\"name\":\"forged\""},
        {"back\\slash\\", "back\\slash\\"},
        {std::string("\x01\x1f\t\n\r\x7f", 6), std::string("\x01\x1f\t\n\r\x7f", 6)},
        {"Gr\xc3\xbc\xc3\x9f"
         "e \xe2\x82\xac \xf0\x9f\x98\x80",
         "Gr\xc3\xbc\xc3\x9f"
         "e \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"cut \xe2\x82", "cut " + replaced + replaced},
        {"alone \xbf", "alone " + replaced},
        {"\xff\xfe", replaced + replaced},
        {"overlong \xc0\xaf", "overlong " + replaced + replaced},
        {"overlong \xe0\x80\xaf", "overlong " + replaced + replaced + replaced},
        {"surrogate \xed\xa0\x80", "surrogate " + replaced + replaced + replaced},
        {"too big \xf4\x90\x80\x80", "too big " + replaced + replaced + replaced + replaced},
        {"edges \xed\x9f\xbf\xf4\x8f\xbf\xbf\xc2\x80",
         "edges \xed\x9f\xbf\xf4\x8f\xbf\xbf\xc2\x80"},
        {"\xc3(", replaced + "("},
    };
    for (const auto& [name, expected] : names) {
        task_scope s{ex, {.name = name}};
        s.spawn({.name = name}, wait_for, std::ref(release));
        const json all = parse(dump(s, format::json));
        ASSERT_EQ(all["scopes"].items.size(), 1U);
        EXPECT_EQ(all["scopes"].items[0]["name"].text, expected);
        EXPECT_EQ(all["scopes"].items[0]["path"].text, "/" + expected);
        EXPECT_EQ(all["scopes"].items[0]["children"].items.at(0)["name"].text, expected);
        s.request_stop();
        s.blocking_join();
    }
}

TEST_F(trees, as_json_survive_every_pair_of_bytes) {
    for (int a = 1; a < 256; a += 3) {
        std::string name;
        for (int b = 1; b < 256; ++b) {
            name += static_cast<char>(a);
            name += static_cast<char>(b);
        }
        const task_scope s{ex, {.name = name}};
        EXPECT_NO_THROW(parse(dump(s, format::json))) << a;
    }
}

// cases: T051
TEST_F(trees, can_be_looked_at_from_inside) {
    task_scope s{ex, {.name = "s"}};
    std::string text;
    s.spawn({.name = "looker"}, [&] { text = dump_tree(current_scope().get_executor()); });
    s.blocking_join();
    EXPECT_THAT(text, HasSubstr("- looker (scope_tree_test.cpp:"));
}

TEST_F(trees, a_hundred_deep_have_a_path_of_all_names) {
    std::vector<std::unique_ptr<task_scope>> chain;
    chain.push_back(std::make_unique<task_scope>(ex, scope_options{.name = "x"}));
    for (int i = 1; i < 100; ++i)
        chain.push_back(std::make_unique<task_scope>(*chain.back(), scope_options{.name = "x"}));
    const tree_snapshot t = snapshot(ex.root());
    ASSERT_EQ(t.scopes.size(), 101U);
    EXPECT_EQ(t.scopes.back().path.size(), 200U);
    EXPECT_EQ(t.scopes.back().depth, 100U);
    while (!chain.empty()) chain.pop_back();
}

class tree_races : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, tree_races, testing::Values(1, 2, 8));

// cases: T412, H8
TEST_P(tree_races, of_dumps_against_scopes_and_children_that_come_and_go) {
    ex.root().set_policy(ignore_errors);
    std::atomic<bool> done{false};
    std::atomic<int> looked{0};
    const auto look = [&] {
        while (!done.load()) {
            const json all = parse(dump_tree(ex, format::json));
            if (all["scopes"].items.empty()) ADD_FAILURE() << "no root";
            if (dump_tree(ex).empty()) ADD_FAILURE() << "no text";
            looked.fetch_add(1);
        }
    };
    std::thread one(look);
    std::thread two(look);
    {
        task_scope all{ex, {.name = "all"}};
        for (int i = 0; i < 8; ++i) {
            all.spawn({.name = "opener"}, []() -> task<> {
                for (int k = 0; k < 200; ++k) {
                    co_await with_scope("block", [](task_scope& s) -> task<> {
                        s.spawn({.name = "child"}, []() -> task<> { co_await yield(); });
                        s.spawn(throw_boom);
                        co_await with_scope([](task_scope& inner) -> task<> {
                            inner.spawn([] {});
                            co_await yield();
                        });
                    });
                }
            });
        }
        all.blocking_join();
    }
    while (looked.load() < 4) std::this_thread::yield();
    done.store(true);
    one.join();
    two.join();
}

}  // namespace
}  // namespace taskscope::test
