// <taskscope/detail/branch_block.hpp> - a fork over a range: its join, and then its values.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/frame_memory.hpp>
#include <taskscope/detail/join_block.hpp>

#include <cstddef>
#include <memory>
#include <new>

namespace taskscope::detail {

/// Room for up to `N` values.
template <class T, std::size_t N>
class branch_values {
public:
    branch_values() noexcept {}
    ~branch_values() { std::destroy_n(data(), size_); }
    branch_values(const branch_values&) = delete;
    branch_values& operator=(const branch_values&) = delete;

    template <class F>
    void push_back_result_of(F f) {
        ::new (static_cast<void*>(data() + size_)) T(f());
        ++size_;
    }
    std::size_t size() const noexcept { return size_; }
    T* data() noexcept { return reinterpret_cast<T*>(bytes_); }
    const T* data() const noexcept { return reinterpret_cast<const T*>(bytes_); }

private:
    std::size_t size_ = 0;
    alignas(T) std::byte bytes_[N * sizeof(T)];
};

template <std::size_t N>
class branch_values<void, N> {};

/// Not in the frame that forks, as the join of fork_join(a, b) is: there it would be a large part of each task of a tree, and
/// most of these are leaves, or have not begun (decisions/0018).
template <class T, std::size_t N>
struct branch_block {
    join_of<N, false> join{0};
    [[no_unique_address]] branch_values<T, N> values;

    static_assert(
        alignof(branch_values<T, N>) <= 2 * sizeof(void*),
        "taskscope: frames' memory is aligned to 16 bytes. Return a pointer to it instead.");

    static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
    static void operator delete(void* memory, std::size_t bytes) noexcept {
        free_frame(memory, bytes);
    }
};

}  // namespace taskscope::detail
