// tests/support/cargo.hpp - a value that notes its beginning and end, and whose copies and moves may throw.
// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <support/ledger.hpp>

namespace support {

/// What a cargo throws when it is copied or moved once too often.
struct broken_cargo : std::runtime_error {
    broken_cargo() : std::runtime_error("a cargo broke") {}
};

enum class fragility : unsigned char { none, copies, moves };

/// The cargoes that were made with it, whoever made or destroyed them. Any thread.
class manifest {
public:
    static constexpr std::size_t most = 64;

    /// The `k`-th (from 1) copy, or move, throws.
    manifest(fragility f, int k) : fragility_(f), left_(k) {}

    /// How many exist.
    int alive() const noexcept { return alive_.load(); }
    bool broke() const noexcept { return fragility_ != fragility::none && left_.load() <= 0; }

    testing::AssertionResult each_was_destroyed_once() const {
        return destroyed_.exactly_once(made_.load());
    }

private:
    friend class cargo;

    std::size_t enter(fragility operation) {
        const bool counts = operation != fragility::none && operation == fragility_;
        if (counts && left_.fetch_sub(1) == 1) throw broken_cargo();
        alive_.fetch_add(1);
        return made_.fetch_add(1);
    }
    void leave(std::size_t number) noexcept {
        alive_.fetch_sub(1);
        destroyed_.count(number);
    }

    const fragility fragility_;
    std::atomic<int> left_;
    std::atomic<int> alive_{0};
    std::atomic<std::size_t> made_{0};
    tally destroyed_{most};
};

class cargo {
public:
    explicit cargo(manifest& m) : manifest_(&m), number_(m.enter(fragility::none)) {}
    cargo(const cargo& o) : manifest_(o.manifest_), number_(manifest_->enter(fragility::copies)) {}
    cargo(cargo&& o) noexcept(false)
        : manifest_(o.manifest_), number_(manifest_->enter(fragility::moves)) {}
    cargo& operator=(const cargo&) = delete;
    ~cargo() { manifest_->leave(number_); }

private:
    manifest* manifest_;
    std::size_t number_;
};

}  // namespace support
