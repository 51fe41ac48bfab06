// <taskscope/branch_results.hpp> - what fork_join<N>() gives: up to N values, in place.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace taskscope {
namespace detail {
template <class T, std::size_t N>
class fork_some_awaiter;
}

/// The values of up to `N` branches in the order of their tasks: a range.
///
/// Allocates: nothing; it has room for `N` values in itself.
template <class T, std::size_t N>
class branch_results {
public:
    using value_type = T;

    branch_results() noexcept = default;
    branch_results(branch_results&& other) noexcept(std::is_nothrow_move_constructible_v<T>)
        : branch_results() {
        for (T& value : other) push_back(std::move(value));
    }
    branch_results& operator=(branch_results&&) = delete;
    ~branch_results() { std::destroy_n(data(), size_); }

    T* begin() noexcept { return data(); }
    T* end() noexcept { return data() + size_; }
    const T* begin() const noexcept { return data(); }
    const T* end() const noexcept { return data() + size_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    /// `i` is less than size().
    T& operator[](std::size_t i) noexcept { return data()[i]; }
    const T& operator[](std::size_t i) const noexcept { return data()[i]; }

private:
    friend detail::fork_some_awaiter<T, N>;

    void push_back(T&& value) {
        std::construct_at(data() + size_, std::move(value));
        ++size_;
    }
    T* data() noexcept { return reinterpret_cast<T*>(bytes_); }
    const T* data() const noexcept { return reinterpret_cast<const T*>(bytes_); }

    std::size_t size_ = 0;
    alignas(T) std::byte bytes_[N * sizeof(T)];
};

}  // namespace taskscope
