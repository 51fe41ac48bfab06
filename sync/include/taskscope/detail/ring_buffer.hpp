// <taskscope/detail/ring_buffer.hpp> - a first-in, first-out buffer with room for so many values.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace taskscope::detail {

/// Allocates: once, in the constructor. Who uses it looks before: push() wants room, pop() a value.
template <class T>
class ring_buffer {
public:
    explicit ring_buffer(std::size_t capacity)
        : capacity_(capacity), cells_(std::allocator<T>().allocate(capacity)) {}
    ring_buffer(const ring_buffer&) = delete;
    ring_buffer& operator=(const ring_buffer&) = delete;
    ~ring_buffer() {
        while (!empty()) drop();
        std::allocator<T>().deallocate(cells_, capacity_);
    }

    std::size_t capacity() const noexcept { return capacity_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    bool full() const noexcept { return size_ == capacity_; }

    void push(T&& value) noexcept {
        const std::size_t end = first_ + size_;
        std::construct_at(cells_ + (end < capacity_ ? end : end - capacity_), std::move(value));
        ++size_;
    }

    T pop() noexcept {
        T value(std::move(cells_[first_]));
        drop();
        return value;
    }

private:
    void drop() noexcept {
        std::destroy_at(cells_ + first_);
        if (++first_ == capacity_) first_ = 0;
        --size_;
    }

    const std::size_t capacity_;
    T* const cells_;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

}  // namespace taskscope::detail
