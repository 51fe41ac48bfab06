// benchmarks/workloads/matmul/threads.cpp - std::thread: each takes the next of 64 tiles of the product.
// SPDX-License-Identifier: MIT
#include "harness/threads.hpp"

#include "matmul.hpp"

#include <atomic>

namespace {

namespace m = matmul_workload;

template <class T>
m::square<T> tile(m::square<T> whole, std::size_t down, std::size_t right, std::size_t size) {
    return {whole.first + down * size * whole.stride + right * size, size, whole.stride};
}

void multiply(unsigned threads, m::factor a, m::factor b, m::product c) {
    constexpr std::size_t across = 8;
    const std::size_t size = a.size / across;
    std::atomic<std::size_t> next{0};
    bench::on_threads(threads, [&](unsigned) {
        // relaxed: a number of its own for each tile, nothing else.
        for (std::size_t t = 0;
             (t = next.fetch_add(1, std::memory_order_relaxed)) < across * across;) {
            const std::size_t i = t / across;
            const std::size_t j = t % across;
            for (std::size_t k = 0; k < across; ++k) {
                m::multiply_serially(tile(a, i, k, size), tile(b, k, j, size), tile(c, i, j, size));
            }
        }
    });
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    return m::run(o, [&](m::factor a, m::factor b, m::product c) { multiply(o.threads, a, b, c); });
}
