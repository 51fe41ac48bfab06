// <taskscope/taskscope.hpp> - everything but net.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/async_auto_event.hpp>
#include <taskscope/async_barrier.hpp>
#include <taskscope/async_condition.hpp>
#include <taskscope/async_event.hpp>
#include <taskscope/async_generator.hpp>
#include <taskscope/async_latch.hpp>
#include <taskscope/async_mutex.hpp>
#include <taskscope/async_semaphore.hpp>
#include <taskscope/async_shared_mutex.hpp>
#include <taskscope/broadcast.hpp>
#include <taskscope/channel.hpp>
#include <taskscope/current_scope.hpp>
#include <taskscope/errors.hpp>
#include <taskscope/exception_group.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/generator.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/run_blocking.hpp>
#include <taskscope/scope_tree.hpp>
#include <taskscope/shutdown.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/spawn_future.hpp>
#include <taskscope/statistics.hpp>
#include <taskscope/stop_token.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/task.hpp>
#include <taskscope/task_group.hpp>
#include <taskscope/task_scope.hpp>
#include <taskscope/version.hpp>
#include <taskscope/watch.hpp>
#include <taskscope/with_scope.hpp>
#include <taskscope/worker_count.hpp>
#include <taskscope/yield.hpp>
