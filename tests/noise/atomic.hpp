// tests/noise/atomic.hpp - what detail/atomic.hpp provides to the sources of the noise build.
// SPDX-License-Identifier: MIT
//
// Each operation on an atomic is preceded by a point at which its thread may be held up; each that others can see
// is followed by another, for what comes behind it and is no atomic operation.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <noise/point.hpp>
#include <type_traits>

namespace taskscope::detail {

template <class T>
class atomic : public std::atomic<T> {
    using base = std::atomic<T>;

public:
    using base::base;
    using base::operator=;

    T load(std::memory_order order) const noexcept {
        noise::point();
        return base::load(order);
    }
    void store(T value, std::memory_order order) noexcept {
        noise::point();
        base::store(value, order);
        noise::point();  // *this may be gone
    }
    T exchange(T value, std::memory_order order) noexcept {
        return seen([&] { return base::exchange(value, order); });
    }
    template <class... Orders>
    bool compare_exchange_weak(T& expected, T desired, Orders... orders) noexcept {
        return seen([&] { return base::compare_exchange_weak(expected, desired, orders...); });
    }
    template <class... Orders>
    bool compare_exchange_strong(T& expected, T desired, Orders... orders) noexcept {
        return seen([&] { return base::compare_exchange_strong(expected, desired, orders...); });
    }
    T fetch_add(T n, std::memory_order order) noexcept {
        return seen([&] { return base::fetch_add(n, order); });
    }
    T fetch_sub(T n, std::memory_order order) noexcept {
        return seen([&] { return base::fetch_sub(n, order); });
    }
    T fetch_or(T bits, std::memory_order order) noexcept {
        return seen([&] { return base::fetch_or(bits, order); });
    }
    T fetch_and(T bits, std::memory_order order) noexcept {
        return seen([&] { return base::fetch_and(bits, order); });
    }

private:
    template <class Operation>
    static auto seen(Operation operation) noexcept {
        noise::point();
        const auto result = operation();
        noise::point();  // the variable may be gone
        return result;
    }
};

/// Numbers shrink, so that rings grow and overflow, but not to the smallest: there must be something to steal.
template <class T>
consteval T shrinkable(T usual, T small) {
    if constexpr (std::is_same_v<T, bool>) {
        return usual;
    } else {
        return std::max(small, usual / 128);
    }
}

/// Shortly before 2^32 for signed numbers too: what is kept in fewer bits than it should be shows there.
template <class T>
consteval T first_count() {
    return static_cast<T>((std::int64_t{1} << 32) - 100);
}

/// Longer than the watchdog waits.
template <class Duration>
consteval Duration hiding_limit(Duration) {
    return std::chrono::hours(1);
}

}  // namespace taskscope::detail
