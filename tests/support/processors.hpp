// tests/support/processors.hpp - on which processors a thread, and those that it starts, may run.
// SPDX-License-Identifier: MIT
#pragma once

#include <sched.h>

#include <cstddef>

namespace support {

/// Of those that there are; of one, that one.
enum class processors : unsigned char { first, all_but_first };

/// While it lives, this thread runs there, and so do for good the threads that it starts.
class stay_on {
public:
    explicit stay_on(processors where) {
        sched_getaffinity(0, sizeof(before_), &before_);
        if (CPU_COUNT(&before_) < 2) return;
        cpu_set_t set = before_;
        bool is_first = true;
        for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
            if (!CPU_ISSET(i, &before_)) continue;
            if (is_first != (where == processors::first)) CPU_CLR(i, &set);
            is_first = false;
        }
        sched_setaffinity(0, sizeof(set), &set);
    }
    ~stay_on() { sched_setaffinity(0, sizeof(before_), &before_); }
    stay_on(const stay_on&) = delete;
    stay_on& operator=(const stay_on&) = delete;

private:
    cpu_set_t before_{};
};

}  // namespace support
