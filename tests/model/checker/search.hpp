// tests/model/checker/search.hpp - the choices of one run, and which to try in the next.
// SPDX-License-Identifier: MIT
//
// A run is determined by its choices: who goes on, which store a load sees. Stateless search: nothing is kept
// of a run but the list of its choices. The next run repeats all but the last one that has an alternative.
#pragma once

#include "model.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace model {

class search {
public:
    explicit search(const options& o);

    /// Option 0 is the one that needs no explanation: the same thread goes on, the load sees the last store.
    unsigned choose(unsigned options);
    /// Who goes on, of `threads`.
    unsigned choose_thread(const std::vector<unsigned>& threads);
    /// `thread` goes on, and there was nothing to choose.
    void goes_on(unsigned thread);

    void begin_run();
    /// False when there is nothing left to try.
    bool next_run();
    /// All from the first choice, because more turned out to matter.
    void restart() { choices_.clear(); }

    /// For mode::pct and mode::random.
    std::uint32_t random(std::uint32_t below) {
        return static_cast<std::uint32_t>(coin_() % below);
    }
    std::uint64_t seed() const { return seed_; }

    /// The choices of this run, to be given to mode::replay.
    std::string path() const;

private:
    struct choice {
        std::uint16_t taken;
        std::uint16_t options;
    };

    unsigned take(unsigned options);

    const options& options_;
    std::vector<choice> choices_;  // those with an alternative
    std::size_t at_ = 0;
    std::vector<std::uint16_t> taken_;  // all of this run, threads by their number
    std::vector<std::uint16_t> told_;   // mode::replay
    std::uint64_t round_ = 0;
    std::uint64_t seed_ = 0;
    std::mt19937_64 coin_;
};

}  // namespace model
