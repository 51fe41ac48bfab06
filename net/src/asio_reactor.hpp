// net/src/asio_reactor.hpp - an io_context that workers run in turn, and the operations that shall end.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/executor.hpp>
#include <taskscope/net/detail/operation.hpp>
#include <taskscope/net/io.hpp>
#include <taskscope/reactor.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>

#include <array>
#include <cstddef>
#include <mutex>

namespace taskscope::net::detail {

class asio_reactor final : public taskscope::detail::executor_extension, public reactor {
public:
    explicit asio_reactor(executor& home);
    ~asio_reactor() override;
    asio_reactor(const asio_reactor&) = delete;
    asio_reactor& operator=(const asio_reactor&) = delete;

    /// Nothing: the scopes, which may be shut down after us, need I/O to come to their ends.
    void shut_down() noexcept override {}

    // The executor calls poll() and wait(), one call at a time; "the runner" is whoever is in one.

    bool poll() noexcept override;
    void wait(clock::duration limit) noexcept override;
    void interrupt() noexcept override;

    boost::asio::io_context& io() noexcept { return io_; }

    /// The one that runs `c`, or nullptr if that is an I/O context of somebody else.
    static asio_reactor* of(boost::asio::execution_context& c) noexcept;

    /// The runner shall tell `o` to end. Any thread.
    void stop(operation& o) noexcept;
    /// `o` has ended. False if the runner is just telling it to: then it ends the wait, and not the caller.
    bool forget(operation& o) noexcept;

private:
    class link;
    class wake_handler;
    template <class T>
    class wake_allocator;
    using operations = boost::intrusive::list<operation, boost::intrusive::base_hook<stop_hook>,
                                              boost::intrusive::constant_time_size<false>>;

    std::size_t run_ready() noexcept;
    bool tell(bool again) noexcept;

    // Memory of the posted wake-up, so that waking needs none and cannot fail. In use while posted_.
    alignas(std::max_align_t) std::array<std::byte, 128> wake_memory_;
    taskscope::detail::atomic<bool> posted_{false};

    std::mutex mutex_;    // guards the lists, and telling_ and left_ of the operations
    operations stopped_;  // to be told to end
    operations told_;     // were told, and have not ended

    boost::asio::io_context io_;  // below what its handlers use when they are destroyed with it
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
};

}  // namespace taskscope::net::detail
