// examples/server/options.cpp - reading the command line, with an answer for everything that is wrong.
// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

namespace web {

const std::string_view usage =
    R"(usage: server [options]

  --port N       TCP port on 127.0.0.1; 0: any free one (8080)
  --workers N    threads that run tasks (what CPU affinity and cgroup quota allow)
  --drain TIME   after SIGTERM: how long requests may take to finish by themselves (5s)
  --stop TIME    after that: how long those left may take to stop (2s)
  --patience T   how long a client may take to send a request, or to take a response (10s)
  --help         this text

TIME is a number with a unit: 500ms, 5s, 2m. SIGINT is like SIGTERM; a second signal stops at once.
Exit status: 0 all tasks ended, 1 some did not within the time, 2 the server could not be started.
)";

namespace {

using std::chrono::milliseconds;

[[noreturn]] void refuse(std::string_view word) {
    throw usage_error("there is no option \"" + std::string(word) + "\"; see --help");
}

[[noreturn]] void refuse(std::string_view option, std::string_view value, const char* why) {
    throw usage_error(std::string(option) + " \"" + std::string(value) + "\": " + why);
}

// All of `text` as a number of at most `most`; too large ones are `most + 1`.
bool read_number(std::string_view text, std::uint64_t most, std::uint64_t& number) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc::invalid_argument || stop != end) return false;
    if (error == std::errc::result_out_of_range || number > most) number = most + 1;
    return true;
}

std::uint64_t number_of(std::string_view option, std::string_view value, std::uint64_t least,
                        std::uint64_t most, const char* what) {
    std::uint64_t number = 0;
    if (!read_number(value, most, number) || number < least || number > most) {
        refuse(option, value, what);
    }
    return number;
}

milliseconds time_of(std::string_view option, std::string_view value) {
    constexpr const char* form = "a time is a number with a unit, such as 500ms, 5s or 2m";
    constexpr std::uint64_t day = 24 * 60 * 60 * 1000;
    if (value.starts_with('-')) refuse(option, value, "a time cannot be negative");
    const std::size_t digits = std::min(value.find_first_not_of("0123456789"), value.size());
    const std::string_view unit = value.substr(digits);
    const std::uint64_t scale = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : 0;
    std::uint64_t number = 0;
    if (scale == 0 || !read_number(value.substr(0, digits), day, number)) {
        refuse(option, value, form);
    }
    if (number > day / scale) refuse(option, value, "a time can be 24 hours at most");
    return milliseconds(number * scale);
}

void set(options& o, std::string_view option, std::string_view value) {
    if (option == "--port") {
        o.port = static_cast<std::uint16_t>(
            number_of(option, value, 0, 65535, "a port is a number from 0 to 65535"));
    } else if (option == "--workers") {
        o.workers = static_cast<unsigned>(
            number_of(option, value, 1, 1024, "there can be 1 to 1024 workers"));
    } else if (option == "--drain") {
        o.drain = time_of(option, value);
    } else if (option == "--stop") {
        o.stop = time_of(option, value);
    } else {
        o.patience = time_of(option, value);
        if (o.patience.count() == 0) refuse(option, value, "nobody is that fast");
    }
}

bool takes_value(std::string_view option) {
    return option == "--port" || option == "--workers" || option == "--drain" ||
           option == "--stop" || option == "--patience";
}

}  // namespace

options parse(int argc, char** argv) {
    options o;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--help" || word == "-h") {
            o.help = true;
            return o;
        }
        const std::size_t equals = word.find('=');
        const std::string_view option = word.substr(0, equals);
        if (!takes_value(option)) refuse(word);
        if (equals != word.npos) {
            set(o, option, word.substr(equals + 1));
        } else if (++i < argc) {
            set(o, option, argv[i]);
        } else {
            throw usage_error(std::string(option) + " needs a value; see --help");
        }
    }
    return o;
}

}  // namespace web
