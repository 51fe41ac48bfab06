// benchmarks/workloads/suspended/asio.cpp - co_spawn, a timer to wait for, a cancellation slot for each.
// SPDX-License-Identifier: MIT
//
// Asio's objects are not thread safe, and a signal must be emitted where its coroutine runs: one thread, always.
#include "suspended.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <vector>

namespace {

namespace asio = boost::asio;

asio::awaitable<void> child(asio::io_context& context) {
    asio::steady_timer never(context, std::chrono::hours(1));
    co_await never.async_wait(asio::use_awaitable);
}

class children {
public:
    void spawn(long n) {
        signals_ = std::vector<asio::cancellation_signal>(static_cast<std::size_t>(n));
        for (auto& s : signals_) {
            asio::co_spawn(context_, child(context_),
                           asio::bind_cancellation_slot(s.slot(), [this](std::exception_ptr e) {
                               if (e != nullptr) ++stopped_;  // operation_aborted
                           }));
        }
        context_.poll();
    }
    long stop() {
        for (auto& s : signals_) s.emit(asio::cancellation_type::terminal);
        context_.run();
        return stopped_;
    }

private:
    asio::io_context context_{1};
    std::vector<asio::cancellation_signal> signals_;
    long stopped_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    children c;
    return suspended_workload::run(o, c);
}
