// tests/support/places.hpp - places in a source file, as tests compare them.
// SPDX-License-Identifier: MIT
#pragma once

#include <source_location>
#include <string>
#include <vector>

namespace support {

inline std::string place(const std::source_location& at, unsigned lines_below = 0) {
    const std::string file = at.file_name();
    return file.substr(file.rfind('/') + 1) + ':' + std::to_string(at.line() + lines_below);
}

/// The place on the line below the call: "await_sites_test.cpp:12".
inline std::string below(const std::source_location& here = std::source_location::current()) {
    return place(here, 1);
}

/// Those in the file of the call: others are of the library.
inline std::vector<std::string> in_this_file(
    const std::vector<std::source_location>& chain,
    const std::source_location& here = std::source_location::current()) {
    std::vector<std::string> places;
    for (const std::source_location& at : chain) {
        if (std::string(at.file_name()) == here.file_name()) places.push_back(place(at));
    }
    return places;
}

}  // namespace support
