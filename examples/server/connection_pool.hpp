// examples/server/connection_pool.hpp - a few connections to a database, lent to whoever needs one.
// SPDX-License-Identifier: MIT
//
// The database is make-believe. What matters is who owns the pool and when it goes: application.cpp.
#pragma once

#include <taskscope/channel.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/task.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace web {

class connection_pool {
public:
    explicit connection_pool(unsigned size) : free_(size) {
        for (unsigned i = 0; i < size; ++i) (void)free_.try_send(i);
    }

    /// A connection, given back at the end of the lease's life: also when its task is stopped.
    class lease {
    public:
        lease(lease&& other) noexcept
            : pool_(std::exchange(other.pool_, nullptr)), connection_(other.connection_) {}
        lease& operator=(lease&&) = delete;
        ~lease() {
            if (pool_ != nullptr) (void)pool_->free_.try_send(connection_);
        }

        /// Asks the database. Stop: completes as stopped.
        taskscope::task<unsigned> ask(unsigned question) {
            co_await taskscope::sleep_for(std::chrono::milliseconds(1));
            co_return question* question;
        }

    private:
        friend class connection_pool;
        lease(connection_pool& pool, unsigned connection) noexcept
            : pool_(&pool), connection_(connection) {}

        connection_pool* pool_;
        unsigned connection_;
    };

    /// Waits until a connection is free.
    taskscope::task<lease> acquire() {
        const std::optional<unsigned> connection = co_await free_.receive();  // never closed
        leases_.fetch_add(1, std::memory_order_relaxed);
        co_return lease(*this, *connection);
    }

    /// How often a connection was lent.
    std::uint64_t leases() const noexcept { return leases_.load(std::memory_order_relaxed); }

private:
    taskscope::channel<unsigned> free_;
    std::atomic<std::uint64_t> leases_{0};
};

}  // namespace web
