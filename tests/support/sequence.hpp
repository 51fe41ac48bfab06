// tests/support/sequence.hpp - what happened, in order, and a local variable that says when it dies.
// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace support {

/// For tests on one thread.
class sequence {
public:
    sequence() = default;
    sequence(std::initializer_list<std::string> events) : events_(events) {}

    void operator()(std::string event) { events_.push_back(std::move(event)); }

    friend bool operator==(const sequence&, const sequence&) = default;
    friend std::ostream& operator<<(std::ostream& out, const sequence& s) {
        for (const std::string& event : s.events_) out << '[' << event << "] ";
        return out;
    }

private:
    std::vector<std::string> events_;
};

/// Writes `~name` into the sequence when it is destroyed.
class witness {
public:
    witness(sequence& seen, std::string name) : seen_(&seen), name_(std::move(name)) {}
    witness(witness&& other) noexcept
        : seen_(std::exchange(other.seen_, nullptr)), name_(std::move(other.name_)) {}
    witness& operator=(witness&&) = delete;
    ~witness() {
        if (seen_ != nullptr) (*seen_)("~" + name_);
    }

private:
    sequence* seen_;
    std::string name_;
};

}  // namespace support
