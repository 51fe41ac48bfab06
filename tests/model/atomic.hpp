// tests/model/atomic.hpp - what detail/atomic.hpp provides to the sources under the model checker.
// SPDX-License-Identifier: MIT
//
// Operations need nothing here: the compiler's instrumentation shows them to the checker. What it does not show
// is the end of an atomic's life on a stack, and there most wake-ups that come too late go to.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace model {
/// The life of the variable at `address` ends: nobody may be using it.
void end_of_life(void* address, std::size_t size) noexcept;
}  // namespace model

namespace taskscope::detail {

template <class T>
class atomic : public std::atomic<T> {
public:
    using std::atomic<T>::atomic;
    using std::atomic<T>::operator=;
    ~atomic() { model::end_of_life(this, sizeof(*this)); }
};

template <class T>
consteval T shrinkable([[maybe_unused]] T usual, T small) {
    return small;
}

/// Shortly before 2^32 for signed numbers too: what is kept in fewer bits than it should be shows there.
template <class T>
consteval T first_count() {
    return static_cast<T>((std::int64_t{1} << 32) - 2);
}

template <class Duration>
consteval Duration hiding_limit(Duration usual) {  // time passes only when nobody can go on
    return usual;
}

}  // namespace taskscope::detail
