// <taskscope/detail/locals.hpp> - what task-locals are bound to: a chain of values that never change.
// SPDX-License-Identifier: MIT
//
// The innermost binding is in the context of a task. Each owns a reference to the one around it, and whoever holds a
// chain longer than its binder lives, a spawned child or a scope, owns a reference to its first link.
//
//     with_local(id, 7)  ──>  with_local(user, "ann")  ──>  with_local(id, 8)  <── context of the task
//     key, value              key, value                    key, value             finds id 8, user "ann"
#pragma once

#include <taskscope/detail/atomic.hpp>

#include <cstdint>
#include <utility>

namespace taskscope::detail {

struct local_binding {
    using function = void (*)(const local_binding&) noexcept;

    local_binding(const void* k, const local_binding* around, function d) noexcept
        : key(k), outer(around), destroy(d) {
        if (outer != nullptr) outer->retain();
    }
    local_binding(const local_binding&) = delete;
    local_binding& operator=(const local_binding&) = delete;

    void retain() const noexcept { references.fetch_add(1, std::memory_order_relaxed); }

    const void* const key;
    const local_binding* const outer;  ///< owns a reference
    const function destroy;
    mutable atomic<std::uint32_t> references{1};

protected:
    ~local_binding() = default;
};

/// Owns a reference to a chain; or nothing.
class local_chain {
public:
    local_chain() noexcept = default;
    /// Takes over a reference that the caller owns.
    explicit local_chain(const local_binding* first) noexcept : first_(first) {}
    local_chain(local_chain&& other) noexcept : first_(std::exchange(other.first_, nullptr)) {}
    local_chain(const local_chain& other) noexcept : local_chain(share(other.first_)) {}
    local_chain& operator=(local_chain other) noexcept {
        std::swap(first_, other.first_);
        return *this;
    }
    ~local_chain() {
        // In a loop and not by recursion: a chain may be long.
        for (const local_binding* b = first_; b != nullptr;) {
            // edge locals.release, both halves: the last owner destroys what the others have read.
            if (b->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
            const local_binding* const outer = b->outer;
            b->destroy(*b);
            b = outer;
        }
    }

    /// One more owner of a chain that somebody owns.
    static local_chain share(const local_binding* first) noexcept {
        if (first != nullptr) first->retain();
        return local_chain(first);
    }

    const local_binding* get() const noexcept { return first_; }

private:
    const local_binding* first_ = nullptr;
};

}  // namespace taskscope::detail
