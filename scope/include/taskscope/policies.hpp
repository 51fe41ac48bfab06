// <taskscope/policies.hpp> - the policies that come with the library.
// SPDX-License-Identifier: MIT
//
// Those that keep something keep it in a place that copies share, so that a copy can be given to a scope and the
// original asked afterwards, also when the scope is gone.
#pragma once

#include <taskscope/exception_group.hpp>
#include <taskscope/scope_policy.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace taskscope {

/// The first error asks all children, and the body, to stop.
struct fail_fast {
    static constexpr bool errors_only = true;

    static disposition child_completed(const child_completion& c);
    static disposition body_completed(const child_completion& c);
};

/// Errors count as those of a child of the scope above, and are dealt with there.
struct escalate_errors {
    static constexpr bool errors_only = true;

    static disposition child_completed(const child_completion&) noexcept {
        return disposition::escalate;
    }
};

/// Keeps the errors of children and body; a join throws them together, in one exception_group, and they are
/// forgotten.
///
/// At most `max_errors` are kept, the first ones; the rest is counted. If nobody joins they are printed on standard
/// error when the last copy goes. Thread safety: all members.
class collect_errors {
public:
    static constexpr bool errors_only = true;
    static constexpr std::size_t max_errors = 1000;

    /// Whether a single error is thrown as it is, or with a group around it like several.
    enum class single : bool { grouped, bare };

    explicit collect_errors(single s = single::grouped);

    disposition child_completed(const child_completion& c) noexcept;
    disposition body_completed(const child_completion& c) noexcept;
    void result();

private:
    struct state;
    std::shared_ptr<state> state_;
};

/// Keeps the last `n` errors, for whoever looks, and passes them on: what a scope that lives for months can
/// afford. Thread safety: all members.
class last_errors {
public:
    static constexpr bool errors_only = true;

    /// Throws std::invalid_argument if `n` is 0.
    explicit last_errors(std::size_t n);

    disposition child_completed(const child_completion& c);
    disposition body_completed(const child_completion& c);

    /// The oldest first. Copies.
    std::vector<recorded_error> errors() const;
    /// How many there were before those.
    std::uint64_t dropped() const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

/// Thrown if fewer children than needed ended with a value; holds the errors of the others.
class quorum_missed : public exception_group {
public:
    using exception_group::exception_group;
};

/// `k` children have to end with a value. When they have, the rest and the body are asked to stop. A join that comes
/// to fewer throws quorum_missed. If there are enough, the errors of others show in has_errors() and the counts alone.
/// The body does not count, and its error is passed on.
class quorum {
public:
    explicit quorum(std::size_t k);

    disposition child_completed(const child_completion& c);
    void result();

private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace taskscope
