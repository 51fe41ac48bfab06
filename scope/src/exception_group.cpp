// scope/src/exception_group.cpp - the text of errors, and taking groups of them apart.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"

#include <taskscope/exception_group.hpp>

#include <algorithm>
#include <utility>

namespace taskscope {

std::string describe(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "unknown exception";
    }
}

std::string recorded_error::text() const {
    std::string out = describe(error);
    std::string where = task_name;
    if (!scope_path.empty()) where += (where.empty() ? "" : " in ") + scope_path;
    if (spawned_at.line() != 0) where += (where.empty() ? "" : ", ") + detail::place(spawned_at);
    if (!where.empty()) out += " [" + where + ']';
    return out;
}

namespace {

// Appends unless it is there. Groups are small, or at least bounded.
void add_once(std::vector<recorded_error>& to, recorded_error e) {
    const auto same = [&](const recorded_error& o) { return o.error == e.error; };
    if (std::none_of(to.begin(), to.end(), same)) to.push_back(std::move(e));
}

}  // namespace

exception_group::exception_group(std::string message, std::vector<recorded_error> errors,
                                 std::size_t dropped)
    : message_(std::move(message)), dropped_(dropped), what_(message_) {
    errors_.reserve(errors.size());
    for (recorded_error& e : errors) add_once(errors_, std::move(e));
    const std::size_t shown = std::min<std::size_t>(errors_.size(), 8);
    const std::size_t count = errors_.size() + dropped_;
    what_ += " (" + std::to_string(count) + (count == 1 ? " error)" : " errors)");
    for (std::size_t i = 0; i < shown; ++i) {
        what_ += (i == 0 ? ": " : "; ") + errors_[i].text();
    }
    if (count > shown) what_ += "; and " + std::to_string(count - shown) + " more";
}

std::vector<recorded_error> exception_group::flatten() const {
    std::vector<recorded_error> flat;
    std::vector<recorded_error> todo(errors_.rbegin(), errors_.rend());
    while (!todo.empty()) {
        recorded_error next = std::move(todo.back());
        todo.pop_back();
        try {
            std::rethrow_exception(next.error);
        } catch (const exception_group& g) {
            todo.insert(todo.end(), g.errors_.rbegin(), g.errors_.rend());
        } catch (...) {
            add_once(flat, std::move(next));
        }
    }
    return flat;
}

std::optional<exception_group> exception_group::match(const predicate& wanted) const {
    std::vector<recorded_error> kept;
    for (const recorded_error& e : errors_) {
        try {
            std::rethrow_exception(e.error);
        } catch (const exception_group& g) {
            if (auto part = g.match(wanted)) {
                recorded_error nested = e;
                nested.error = std::make_exception_ptr(*std::move(part));
                kept.push_back(std::move(nested));
            }
        } catch (...) {
            if (wanted(e.error)) kept.push_back(e);
        }
    }
    if (kept.empty()) return std::nullopt;
    return exception_group(message_, std::move(kept));
}

std::pair<std::optional<exception_group>, std::optional<exception_group>> exception_group::split(
    const predicate& wanted) const {
    return {match(wanted), match([&](const std::exception_ptr& e) { return !wanted(e); })};
}

}  // namespace taskscope
