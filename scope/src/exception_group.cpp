// scope/src/exception_group.cpp - the text of several errors.
// SPDX-License-Identifier: MIT
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

exception_group::exception_group(std::string message, std::vector<std::exception_ptr> errors,
                                 std::size_t dropped)
    : errors_(std::move(errors)), dropped_(dropped), what_(std::move(message)) {
    const std::size_t shown = std::min<std::size_t>(errors_.size(), 8);
    const std::size_t count = errors_.size() + dropped_;
    what_ += " (" + std::to_string(count) + (count == 1 ? " error)" : " errors)");
    for (std::size_t i = 0; i < shown; ++i) {
        what_ += (i == 0 ? ": " : "; ") + describe(errors_[i]);
    }
    if (count > shown) what_ += "; and " + std::to_string(count - shown) + " more";
}

std::vector<std::exception_ptr> exception_group::flatten() const {
    std::vector<std::exception_ptr> flat;
    std::vector<std::exception_ptr> todo(errors_.rbegin(), errors_.rend());
    while (!todo.empty()) {
        std::exception_ptr next = std::move(todo.back());
        todo.pop_back();
        try {
            std::rethrow_exception(next);
        } catch (const exception_group& g) {
            todo.insert(todo.end(), g.errors_.rbegin(), g.errors_.rend());
        } catch (...) {
            flat.push_back(std::move(next));
        }
    }
    return flat;
}

}  // namespace taskscope
