// examples/fork_join.cpp - sort a million numbers: part the small from the large, sort both at the same time.
// SPDX-License-Identifier: MIT
//
// Shows   fork_join of two tasks, and of a range of tasks; run().
// Run     fork_join
// Prints  sorted 1000000 numbers, 0 .. 999999, and the sums of ten parts: 49999500000 ...
#include <taskscope/taskscope.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <numeric>
#include <ranges>
#include <span>
#include <vector>

namespace ts = taskscope;

namespace {

ts::task<> sort(std::span<std::uint32_t> numbers) {
    constexpr std::size_t small = 4096;  // what is not worth a task
    if (numbers.size() <= small) {
        std::ranges::sort(numbers);
        co_return;
    }
    const std::size_t half = numbers.size() / 2;
    std::ranges::nth_element(numbers, numbers.begin() + static_cast<std::ptrdiff_t>(half));
    co_await ts::fork_join(sort(numbers.first(half)), sort(numbers.subspan(half)));
}

ts::task<std::uint64_t> sum(std::span<const std::uint32_t> numbers) {
    co_return std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0});
}

ts::task<std::vector<std::uint64_t>> sums_of_parts(std::span<const std::uint32_t> numbers,
                                                   std::size_t parts) {
    const std::size_t length = numbers.size() / parts;
    auto tasks =
        std::views::iota(std::size_t{0}, parts) | std::views::transform([=](std::size_t i) {
            return sum(numbers.subspan(i * length, length));
        });
    // The view makes each task when it is about to run.
    auto all = ts::fork_join(tasks);
    co_return co_await std::move(all);
}

}  // namespace

int main() {
    std::vector<std::uint32_t> numbers(1'000'000);
    std::uint32_t next = 0;
    for (std::uint32_t& n : numbers) n = next = (next + 617'171) % 1'000'000;  // each once

    ts::executor ex;  // one worker per processor that we may use
    ex.run(sort(numbers));
    std::cout << "sorted " << numbers.size() << " numbers, " << numbers.front() << " .. "
              << numbers.back() << '\n';
    for (const std::uint64_t s : ex.run(sums_of_parts(numbers, 10))) std::cout << s << '\n';
}
