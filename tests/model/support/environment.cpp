// tests/model/support/environment.cpp - what the production sources find around them in a model.
// SPDX-License-Identifier: MIT
#include "observer_list.hpp"

#include <taskscope/detail/current.hpp>
#include <taskscope/detail/frame_memory.hpp>
#include <taskscope/detail/frame_meter.hpp>
#include <taskscope/worker_count.hpp>

#include <model/checker/model.hpp>

namespace taskscope {

// Instead of reading files.
unsigned default_worker_count() { return 2; }

namespace {

const bool registered = [] {
    model::register_thread_local(reinterpret_cast<void**>(&detail::current_worker));
    model::register_thread_local(reinterpret_cast<void**>(&detail::outside_context));
    model::register_thread_local(
        const_cast<void**>(reinterpret_cast<const void**>(&detail::innermost_walk)));
    model::register_thread_local(reinterpret_cast<void**>(&detail::innermost_meter));
    frames();  // makes what is made once, before the first run
    return true;
}();

}  // namespace
}  // namespace taskscope
