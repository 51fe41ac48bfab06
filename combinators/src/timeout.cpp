// combinators/src/timeout.cpp - the text of a timeout.
// SPDX-License-Identifier: MIT
#include <taskscope/timeout.hpp>

#include <string>
#include <string_view>

namespace taskscope {
namespace {

std::string text(const std::source_location& where) {
    std::string_view file = where.file_name();
    file.remove_prefix(file.rfind('/') + 1);
    return "taskscope: timed out, by the limit set at " + std::string(file) + ':' +
           std::to_string(where.line());
}

}  // namespace

timeout_error::timeout_error(std::source_location where)
    : std::runtime_error(text(where)), where_(where) {}

}  // namespace taskscope
