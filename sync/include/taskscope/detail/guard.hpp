// <taskscope/detail/guard.hpp> - holds a lock, and lets go of it at its end.
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

namespace taskscope::detail {

/// Whose destructor calls `Release` on the mutex it holds. It may be kept across awaits and moved to other tasks
/// and threads: it belongs to whoever has it, not to a thread. A stop unwinds it like every local.
template <class Mutex, void (Mutex::*Release)() noexcept>
class [[nodiscard]] guard {
public:
    /// Holds nothing.
    guard() noexcept = default;
    guard(guard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    guard& operator=(guard&& other) noexcept {
        if (this != &other) {
            unlock();
            mutex_ = std::exchange(other.mutex_, nullptr);
        }
        return *this;
    }
    ~guard() { unlock(); }

    /// Lets go of it now. Does nothing if nothing is held.
    void unlock() noexcept {
        if (Mutex* m = std::exchange(mutex_, nullptr)) (m->*Release)();
    }

    /// Whether it holds the lock.
    explicit operator bool() const noexcept { return mutex_ != nullptr; }

    /// The one it holds, or nullptr.
    Mutex* mutex() const noexcept { return mutex_; }

private:
    friend Mutex;

    explicit guard(Mutex& m) noexcept : mutex_(&m) {}

    Mutex* mutex_ = nullptr;
};

}  // namespace taskscope::detail
