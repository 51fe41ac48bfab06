// tests/model/checker/search.cpp - depth first, by coin, or as told.
// SPDX-License-Identifier: MIT
#include "search.hpp"

#include <algorithm>
#include <sstream>

namespace model {

search::search(const options& o) : options_(o) {
    if (o.how != mode::replay) return;
    // Written as <choice> or <choice>x<how often>, separated by dots.
    std::istringstream in(o.path);
    for (std::string part; std::getline(in, part, '.');) {
        const std::size_t x = part.find('x');
        const auto taken = static_cast<std::uint16_t>(std::stoul(part.substr(0, x)));
        const std::size_t n = x == std::string::npos ? 1 : std::stoul(part.substr(x + 1));
        told_.insert(told_.end(), n, taken);
    }
}

void search::begin_run() {
    at_ = 0;
    taken_.clear();
    seed_ = options_.seed + round_;
    coin_.seed(seed_);
    if (options_.how == mode::random || options_.how == mode::pct) choices_.clear();
}

unsigned search::take(unsigned options) {
    if (options <= 1) return 0;
    if (at_ == choices_.size()) {
        std::uint16_t taken = 0;
        if (options_.how == mode::random || options_.how == mode::pct) {
            taken = static_cast<std::uint16_t>(random(options));
        }
        choices_.push_back({taken, static_cast<std::uint16_t>(options)});
    }
    return choices_[at_++].taken;
}

unsigned search::choose(unsigned options) {
    unsigned taken = 0;
    if (options_.how != mode::replay) {
        taken = take(options);
    } else if (taken_.size() < told_.size() && told_[taken_.size()] < options) {
        taken = told_[taken_.size()];
    }
    taken_.push_back(static_cast<std::uint16_t>(taken));
    return taken;
}

unsigned search::choose_thread(const std::vector<unsigned>& threads) {
    unsigned thread = threads.front();
    if (options_.how != mode::replay) {
        thread = threads[take(static_cast<unsigned>(threads.size()))];
    } else if (taken_.size() < told_.size() &&
               std::find(threads.begin(), threads.end(), told_[taken_.size()]) != threads.end()) {
        thread = told_[taken_.size()];
    }
    goes_on(thread);
    return thread;
}

void search::goes_on(unsigned thread) { taken_.push_back(static_cast<std::uint16_t>(thread)); }

bool search::next_run() {
    switch (options_.how) {
        case mode::replay:
            return false;
        case mode::random:
        case mode::pct:
            return ++round_ < options_.rounds;
        case mode::exhaustive:
            break;
    }
    choices_.resize(at_);
    while (!choices_.empty()) {
        choice& last = choices_.back();
        if (++last.taken < last.options) return true;
        choices_.pop_back();
    }
    return false;
}

std::string search::path() const {
    std::string text;
    for (std::size_t i = 0; i < taken_.size();) {
        std::size_t n = i;
        while (n < taken_.size() && taken_[n] == taken_[i]) ++n;
        if (!text.empty()) text += '.';
        text += std::to_string(taken_[i]);
        if (n - i > 1) text += 'x' + std::to_string(n - i);
        i = n;
    }
    return text;
}

}  // namespace model
