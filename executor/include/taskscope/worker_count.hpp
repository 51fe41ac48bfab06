// <taskscope/worker_count.hpp> - how many workers an executor gets when nobody says a number.
// SPDX-License-Identifier: MIT
//
// The number of CPUs the machine has is the wrong answer in a container: workers beyond what the
// process may use take turns, and under a CPU quota all of them stand still together for the rest
// of each period. So the answer is the smaller of two things the kernel can be asked for, affinity
// mask and CPU quota, and one environment variable overrules both.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace taskscope {

/// How many workers to start: what this process may use of the machine it runs on.
///
/// Returns: the value of the environment variable TASKSCOPE_WORKERS if it is set; else the number
///   of CPUs in the affinity mask of the calling thread, or the CPU quota of the process's control
///   group, rounded up (half a CPU is one worker, one and a half are two), if that is smaller.
///   Never less than 1. The quota is the smallest one from that group upwards, in cgroup v1 and v2.
///   What cannot be read or understood under /proc and /sys counts as no limit.
/// Throws: std::invalid_argument if TASKSCOPE_WORKERS is set to anything but a whole number from
///   1 to 1024.
/// Thread safety: as getenv: not while another thread changes the environment.
/// Complexity: reads a handful of small files on each call; nothing is remembered between calls.
[[nodiscard]] unsigned default_worker_count();

namespace detail {

/// Where control groups are described. Tests put a made-up tree under `root`.
struct cgroup_files {
    std::string root;  ///< put before /proc/self/cgroup, /proc/self/mountinfo and every mount point
};

/// Returns: the smallest CPU quota that binds this process, rounded up to whole CPUs; nothing if
///   there is none.
[[nodiscard]] std::optional<unsigned> cgroup_cpu_limit(const cgroup_files& files);

/// Fills `mask`, `bytes` long, as the system call sched_getaffinity does.
/// Returns: 0, or EINVAL if the kernel needs a longer mask, or another error number.
using affinity_reader = int (*)(std::size_t bytes, unsigned char* mask);

/// Returns: how many CPUs are set in the mask `read` delivers, of whatever length; at least 1.
[[nodiscard]] unsigned affinity_cpu_count(affinity_reader read);

/// `default_worker_count` with its three sources handed in. `variable` is null if it is not set.
[[nodiscard]] unsigned worker_count_from(const char* variable, unsigned affinity_cpus,
                                         const cgroup_files& files);

}  // namespace detail
}  // namespace taskscope
