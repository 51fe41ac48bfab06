// net/src/signals.cpp - boost::asio::signal_set behind ours, so that users of signals.hpp compile no Asio.
// SPDX-License-Identifier: MIT
#include <taskscope/net/io.hpp>
#include <taskscope/net/signals.hpp>
#include <taskscope/net/use_task.hpp>

#include <boost/asio/signal_set.hpp>

#include <string>
#include <system_error>

namespace taskscope::net {

struct signal_set::implementation {
    explicit implementation(executor& home) : signals(context(home)) {}

    boost::asio::signal_set signals;
};

signal_set::signal_set(executor& home, std::span<const int> signals)
    : implementation_(std::make_unique<implementation>(home)) {
    for (const int number : signals) {
        try {
            implementation_->signals.add(number);
        } catch (const boost::system::system_error& e) {
            throw std::system_error(e.code(),
                                    "taskscope: cannot catch signal " + std::to_string(number));
        }
    }
}

signal_set::~signal_set() = default;

task<int> signal_set::wait() {
    const auto [error, number] = co_await implementation_->signals.async_wait(use_task);
    if (error) throw std::system_error(error, "taskscope: waiting for a signal");
    co_return number;
}

}  // namespace taskscope::net
