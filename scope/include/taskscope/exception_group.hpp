// <taskscope/exception_group.hpp> - several errors, thrown together.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/error_context.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskscope {

/// The errors of a group's children, in the order in which they arrived; the first one is what stopped the
/// group. An error may be an exception_group itself.
///
/// Names after Python's ExceptionGroup (PEP 654).
class exception_group : public std::exception {
public:
    /// An error that is in `errors` twice counts once. `dropped`: how many more there were than are kept.
    /// Allocates for the text of what().
    exception_group(std::string message, std::vector<recorded_error> errors,
                    std::size_t dropped = 0);

    /// `<message> (3 errors): first [/app/api, server.cpp:41]; second; third`
    const char* what() const noexcept override { return what_.c_str(); }

    const std::string& message() const noexcept { return message_; }
    const std::vector<recorded_error>& errors() const noexcept { return errors_; }
    std::size_t dropped() const noexcept { return dropped_; }

    /// All errors that are no groups, depth first, each once.
    std::vector<recorded_error> flatten() const;

    using predicate = std::function<bool(const std::exception_ptr&)>;

    /// This group without the errors that `wanted` refuses, however deep they are; the groups in between keep
    /// their place, and those with nothing left disappear. Empty if nothing is left. A group as such is not asked
    /// about. What was dropped stays with neither part of a split. Allocates.
    std::optional<exception_group> match(const predicate& wanted) const;
    /// The errors that are an E.
    template <class E>
    std::optional<exception_group> match() const {
        return match(is<E>);
    }

    /// What matches, and the rest.
    std::pair<std::optional<exception_group>, std::optional<exception_group>> split(
        const predicate& wanted) const;
    template <class E>
    std::pair<std::optional<exception_group>, std::optional<exception_group>> split() const {
        return split(is<E>);
    }

private:
    template <class E>
    static bool is(const std::exception_ptr& error) {
        try {
            std::rethrow_exception(error);
        } catch (const E&) {
            return true;
        } catch (...) {
            return false;
        }
    }

    std::string message_;
    std::vector<recorded_error> errors_;
    std::size_t dropped_;
    std::string what_;
};

}  // namespace taskscope
