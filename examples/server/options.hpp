// examples/server/options.hpp - the command line of the server.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/worker_count.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string_view>

namespace web {

struct options {
    std::uint16_t port = 8080;  ///< 0: any free one
    unsigned workers = taskscope::default_worker_count();
    std::chrono::milliseconds drain = std::chrono::seconds(5);
    std::chrono::milliseconds stop = std::chrono::seconds(2);
    std::chrono::milliseconds patience = std::chrono::seconds(10);
    bool help = false;
};

extern const std::string_view usage;

/// what() is one line that says what is wrong and what would be right.
class usage_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Throws usage_error.
options parse(int argc, char** argv);

}  // namespace web
