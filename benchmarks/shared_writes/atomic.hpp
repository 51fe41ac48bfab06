// benchmarks/shared_writes/atomic.hpp - what detail/atomic.hpp provides to the sources of this build.
// SPDX-License-Identifier: MIT
//
// Each operation on an atomic tells the simulated machine first, with the place it is written at.
#pragma once

#include "shared_writes/machine.hpp"

#include <atomic>
#include <source_location>

namespace taskscope::detail {

template <class T>
class atomic : public std::atomic<T> {
    using base = std::atomic<T>;
    using order = std::memory_order;
    using place = std::source_location;

    void read(const place& at) const noexcept { shared_writes::read(this, at); }
    void write(const place& at) noexcept { shared_writes::write(this, at); }

public:
    using base::base;
    using base::operator=;

    T load(order o, place at = place::current()) const noexcept {
        read(at);
        return base::load(o);
    }
    void store(T value, order o, place at = place::current()) noexcept {
        write(at);
        base::store(value, o);
    }
    T exchange(T value, order o, place at = place::current()) noexcept {
        write(at);
        return base::exchange(value, o);
    }
    // One that fails has taken the line too.
    bool compare_exchange_weak(T& expected, T desired, order o,
                               place at = place::current()) noexcept {
        write(at);
        return base::compare_exchange_weak(expected, desired, o);
    }
    bool compare_exchange_weak(T& expected, T desired, order success, order failure,
                               place at = place::current()) noexcept {
        write(at);
        return base::compare_exchange_weak(expected, desired, success, failure);
    }
    bool compare_exchange_strong(T& expected, T desired, order o,
                                 place at = place::current()) noexcept {
        write(at);
        return base::compare_exchange_strong(expected, desired, o);
    }
    bool compare_exchange_strong(T& expected, T desired, order success, order failure,
                                 place at = place::current()) noexcept {
        write(at);
        return base::compare_exchange_strong(expected, desired, success, failure);
    }
    T fetch_add(T n, order o, place at = place::current()) noexcept {
        write(at);
        return base::fetch_add(n, o);
    }
    T fetch_sub(T n, order o, place at = place::current()) noexcept {
        write(at);
        return base::fetch_sub(n, o);
    }
    T fetch_or(T bits, order o, place at = place::current()) noexcept {
        write(at);
        return base::fetch_or(bits, o);
    }
    T fetch_and(T bits, order o, place at = place::current()) noexcept {
        write(at);
        return base::fetch_and(bits, o);
    }
};

template <class T>
consteval T shrinkable(T usual, T) {
    return usual;
}

template <class T>
consteval T first_count() {
    return 0;
}

template <class Duration>
consteval Duration hiding_limit(Duration usual) {
    return usual;
}

}  // namespace taskscope::detail
