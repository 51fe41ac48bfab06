// <taskscope/branch_results.hpp> - what fork_join<N>() gives: up to N values, in one block of memory.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/branch_block.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace taskscope {
namespace detail {
template <class T, std::size_t N>
class fork_some_awaiter;
}

/// The values of up to `N` branches in the order of their tasks: a range.
///
/// Empty when it has been moved from. Allocates: nothing; it takes over the block of the fork.
template <class T, std::size_t N>
class branch_results {
public:
    using value_type = T;

    branch_results() noexcept = default;

    T* begin() noexcept { return block_ != nullptr ? block_->values.data() : nullptr; }
    T* end() noexcept { return begin() + size(); }
    const T* begin() const noexcept { return block_ != nullptr ? block_->values.data() : nullptr; }
    const T* end() const noexcept { return begin() + size(); }
    std::size_t size() const noexcept { return block_ != nullptr ? block_->values.size() : 0; }
    bool empty() const noexcept { return size() == 0; }
    /// `i` is less than size().
    T& operator[](std::size_t i) noexcept { return block_->values.data()[i]; }
    const T& operator[](std::size_t i) const noexcept { return block_->values.data()[i]; }

private:
    friend detail::fork_some_awaiter<T, N>;

    explicit branch_results(std::unique_ptr<detail::branch_block<T, N>> block) noexcept
        : block_(std::move(block)) {}

    std::unique_ptr<detail::branch_block<T, N>> block_;
};

}  // namespace taskscope
