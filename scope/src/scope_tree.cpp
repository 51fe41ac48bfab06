// scope/src/scope_tree.cpp - snapshots of a tree, as data, text and JSON.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"
#include "suspensions.hpp"

#include <taskscope/scope_tree.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <unordered_map>

namespace taskscope {
namespace {

using detail::describe_suspension;
using detail::place;
using detail::scope_access;
using detail::scope_reference;
using detail::scope_state;
using detail::suspension_text;

scope_info describe_state(scope_state& s, std::size_t depth) {
    scope_info info;
    info.name = s.name;
    info.path = s.path();
    info.depth = depth;
    info.counts = s.counts();
    info.closed = s.is_closed();
    info.stop_reason = s.reason();
    info.ended = s.has_ended();
    info.has_errors = s.has_errors();
    info.opened_at = s.opened_at;
    if (const auto door = s.admission()) info.admission = door->info();
    info.age = std::chrono::duration_cast<std::chrono::milliseconds>(s.context.home->now() -
                                                                     s.opened_when);
    return info;
}

std::string of(std::uint64_t n, std::uint64_t limit) {
    const std::string text = std::to_string(n);
    return limit == admission_limits::none ? text : text + '/' + std::to_string(limit);
}

std::string figures(const admission_info& a) {
    const admission_counts& c = a.counts;
    std::string line = ", " + of(c.live, a.limits.max_live) + " places, " +
                       of(c.waiting, a.limits.max_waiting) + " waiting, " +
                       of(c.bytes, a.limits.max_bytes) + " bytes";
    if (c.full != 0) line += ", refused " + std::to_string(c.full) + " full";
    if (c.queue_full != 0) line += ", refused " + std::to_string(c.queue_full) + " queue full";
    if (c.too_late != 0) line += ", refused " + std::to_string(c.too_late) + " too late";
    return line;
}

std::string figures(const scope_info& s) {
    std::string line;
    const auto add = [&line](std::uint64_t n, const char* what) {
        if (n != 0) line += ", " + std::to_string(n) + ' ' + what;
    };
    line = std::to_string(s.counts.live) + " live";
    add(s.counts.starting, "starting");
    add(s.counts.spawned, "spawned");
    add(s.counts.failed, "failed");
    add(s.counts.stopped, "stopped");
    add(s.counts.refused, "refused");
    add(s.counts.handler_failures, "handler failures");
    if (s.admission) line += figures(*s.admission);
    if (s.stop_reason != nullptr) {
        line += ", stop requested (" + std::string(name_of(s.stop_reason->kind));
        if (!s.stop_reason->text.empty()) line += ": " + s.stop_reason->text;
        line += ')';
    }
    if (s.ended) {
        line += ", ended";
    } else if (s.closed) {
        line += ", closed";
    }
    return line;
}

std::string as_text(const tree_snapshot& tree) {
    std::string out;
    for (std::size_t i = 0; i < tree.scopes.size(); ++i) {
        const scope_info& s = tree.scopes[i];
        const std::string indent(2 * s.depth, ' ');
        out += indent + (s.name.empty() ? "/" : s.name) + "  " + figures(s) + '\n';
        for (const child_info& c : s.children) {
            out += indent + "  - " + (c.name.empty() ? "task" : c.name) + " (" +
                   place(c.spawned_at) + ')' + suspension_text(c) + '\n';
        }
        if (s.children_unlisted != 0) {
            out += indent + "  - and " + std::to_string(s.children_unlisted) + " more\n";
        }
    }
    return out;
}

// Valid UTF-8 is passed through; every other byte becomes a replacement character.
void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == '"' || c == '\\') {
            out += {'\\', static_cast<char>(c)};
        } else if (c < 0x20 || c == 0x7f) {
            std::array<char, 8> escaped{};
            std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(c));
            out += escaped.data();
        } else if (c < 0x80) {
            out += static_cast<char>(c);
        } else {
            const std::size_t length = c >= 0xf0 && c < 0xf5 ? 4
                                       : c >= 0xe0           ? 3
                                       : c >= 0xc2           ? 2
                                                             : 0;
            bool valid = length != 0 && c < 0xf5 && i + length <= text.size();
            for (std::size_t k = 1; valid && k < length; ++k) {
                valid = (static_cast<unsigned char>(text[i + k]) & 0xc0) == 0x80;
            }
            if (valid && length >= 3) {  // no overlong forms, surrogates, or values beyond U+10FFFF
                const auto second = static_cast<unsigned char>(text[i + 1]);
                valid = !(c == 0xe0 && second < 0xa0) && !(c == 0xed && second >= 0xa0) &&
                        !(c == 0xf0 && second < 0x90) && !(c == 0xf4 && second >= 0x90);
            }
            if (valid) {
                out += text.substr(i, length);
                i += length;
                continue;
            }
            out += "\\ufffd";
        }
        ++i;
    }
    out += '"';
}

std::string as_json(const tree_snapshot& tree) {
    std::string out;
    const auto key = [&out](const char* name) {
        if (out.back() != '{') out += ',';
        out += '"';
        out += name;
        out += "\":";
    };
    const auto number = [&](const char* name, std::uint64_t n) {
        key(name);
        out += std::to_string(n);
    };
    const auto flag = [&](const char* name, bool b) {
        key(name);
        out += b ? "true" : "false";
    };
    const auto text = [&](const char* name, std::string_view s) {
        key(name);
        append_json_string(out, s);
    };
    const auto places = [&](const child_info& c) {
        if (c.suspended_at.line() != 0) text("suspended_at", place(c.suspended_at));
        key("await_chain");
        out += '[';
        for (std::size_t i = 0; i < c.await_chain.size(); ++i) {
            if (i != 0) out += ',';
            append_json_string(out, place(c.await_chain[i]));
        }
        out += ']';
        number("awaits_unlisted", c.awaits_unlisted);
    };
    out = "{\"scopes\":[";
    for (std::size_t i = 0; i < tree.scopes.size(); ++i) {
        const scope_info& s = tree.scopes[i];
        if (i != 0) out += ',';
        out += '{';
        text("path", s.path);
        text("name", s.name);
        number("depth", s.depth);
        number("live", s.counts.live);
        number("scopes", s.counts.scopes);
        number("spawned", s.counts.spawned);
        number("failed", s.counts.failed);
        number("stopped", s.counts.stopped);
        number("refused", s.counts.refused);
        number("handler_failures", s.counts.handler_failures);
        number("starting", s.counts.starting);
        if (s.admission) {
            const auto limit = [&](const char* name, std::uint64_t n) {
                if (n != admission_limits::none) number(name, n);
            };
            key("admission");
            out += '{';
            number("live", s.admission->counts.live);
            limit("max_live", s.admission->limits.max_live);
            number("waiting", s.admission->counts.waiting);
            limit("max_waiting", s.admission->limits.max_waiting);
            number("bytes", s.admission->counts.bytes);
            limit("max_bytes", s.admission->limits.max_bytes);
            number("admitted", s.admission->counts.admitted);
            number("full", s.admission->counts.full);
            number("queue_full", s.admission->counts.queue_full);
            number("too_late", s.admission->counts.too_late);
            out += '}';
        }
        flag("closed", s.closed);
        flag("stop_requested", s.stop_reason != nullptr);
        if (s.stop_reason != nullptr) {
            text("stop_kind", name_of(s.stop_reason->kind));
            text("stop_text", s.stop_reason->text);
            text("stop_scope", s.stop_reason->scope_path);
        }
        flag("ended", s.ended);
        flag("has_errors", s.has_errors);
        text("opened_at", place(s.opened_at));
        number("age_ms", static_cast<std::uint64_t>(std::max<std::int64_t>(0, s.age.count())));
        key("children");
        out += '[';
        for (std::size_t k = 0; k < s.children.size(); ++k) {
            if (k != 0) out += ',';
            out += '{';
            text("name", s.children[k].name);
            text("spawned_at", place(s.children[k].spawned_at));
            places(s.children[k]);
            out += '}';
        }
        out += ']';
        number("children_unlisted", s.children_unlisted);
        out += '}';
    }
    out += "]}";
    return out;
}

}  // namespace

tree_snapshot snapshot(const task_scope& top, std::size_t listed) {
    tree_snapshot tree;
    std::unordered_map<const scope_state*, std::size_t> index;
    struct pending {
        scope_reference scope;
        std::size_t depth;
    };
    std::vector<pending> todo;  // a stack: parents first, siblings in order
    todo.push_back({scope_reference::retain(scope_access::state(top)), 0});
    std::vector<scope_reference> held;  // so that an address in the index means one scope only
    while (!todo.empty()) {
        pending next = std::move(todo.back());
        todo.pop_back();
        index.emplace(next.scope.get(), tree.scopes.size());
        tree.scopes.push_back(describe_state(*next.scope, next.depth));
        std::vector<scope_reference> below = next.scope->children();
        for (std::size_t i = below.size(); i-- > 0;) {
            todo.push_back({std::move(below[i]), next.depth + 1});
        }
        held.push_back(std::move(next.scope));
    }
    if (listed == 0) return tree;
    held.front()->runtime.registry.for_each([&](const detail::child& c) {
        const auto found = index.find(c.scope);
        if (found == index.end()) return;
        scope_info& s = tree.scopes[found->second];
        if (s.children.size() < listed) {
            child_info& info = s.children.emplace_back();
            info.name = c.name();
            info.spawned_at = c.spawned_at();
            describe_suspension(c, info);
        } else {
            ++s.children_unlisted;
        }
    });
    return tree;
}

std::string dump(const task_scope& top, format f) {
    const tree_snapshot tree = snapshot(top);
    return f == format::json ? as_json(tree) : as_text(tree);
}

std::string dump_tree(executor& home, format f) { return dump(home.root(), f); }

std::string task_scope::describe() const {
    const scope_info s = describe_state(*state_, 0);
    return "scope " + s.path + ": " + figures(s) + ", opened at " + place(s.opened_at);
}

}  // namespace taskscope
