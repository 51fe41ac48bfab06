// tests/package/onetbb_main.cpp - a user of the onetbb component: its header is there, it links and runs.
// SPDX-License-Identifier: MIT
#include <taskscope/bridges/tbb_guest.hpp>

int main() {
    taskscope::executor ex{{.workers = 1}};
    taskscope::tbb_guest tbb(ex);
    const auto compute = [&]() -> taskscope::task<int> {
        co_return co_await tbb.run([] { return 42; });
    };
    return ex.run(compute()) == 42 ? 0 : 1;
}
