// benchmarks/workloads/reduce/taskscope.cpp - fork_join over the chunks.
// SPDX-License-Identifier: MIT
#include "reduce.hpp"

#include <taskscope/taskscope.hpp>

#include <ranges>

namespace {

namespace ts = taskscope;
namespace r = reduce_workload;

ts::task<std::uint64_t> sum_of_chunk(r::numbers all, std::size_t i) { co_return r::chunk(all, i); }

ts::task<std::uint64_t> reduce(r::numbers all) {
    const auto chunk = [all](std::size_t i) { return sum_of_chunk(all, i); };
    auto chunks =
        std::views::iota(std::size_t{0}, all.size() / r::grain) | std::views::transform(chunk);
    const auto sums = co_await ts::fork_join(chunks);
    co_return std::accumulate(sums.begin(), sums.end(), std::uint64_t{0});
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    ts::executor ex{{.workers = o.threads}};
    return r::run(o, [&](r::numbers all) { return ex.run(reduce(all)); });
}
