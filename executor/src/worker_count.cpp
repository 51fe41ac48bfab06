// executor/src/worker_count.cpp - affinity mask, CPU quota and the variable that overrules both.
// SPDX-License-Identifier: MIT
//
// Where a quota is found (man 7 cgroups, man 5 proc):
//
//   /proc/self/cgroup       4:cpu,cpuacct:/box/job     v1: hierarchy id, controllers, our path
//                           0::/box/job                v2: always id 0 and no controllers
//   /proc/self/mountinfo    31 25 0:27 /box /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu
//                                      root mount point                     type          options
//
// The mount shows the part of the hierarchy below its root, so the example's files are in
// /sys/fs/cgroup/cpu/job, and the walk goes up from there to the mount point. In a container the
// path and the root may be seen from different namespaces and have nothing in common; what is
// mounted is then the container's own group, and its quota is at the mount point.
#include <taskscope/worker_count.hpp>

#include <sched.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

namespace taskscope {
namespace {

using detail::cgroup_files;

constexpr const char* variable_name = "TASKSCOPE_WORKERS";
constexpr unsigned most_workers = 1024;

/// Returns: `text` as a number if it is one from its first character to its last.
template <class Number>
std::optional<Number> parse(std::string_view text) {
    Number value{};
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
    return value;
}

std::vector<std::string> words(const std::string& line) {
    std::istringstream in{line};
    std::vector<std::string> result;
    for (std::string word; in >> word;) result.push_back(word);
    return result;
}

/// Returns: the words of the first line of a file; none if it cannot be read.
std::vector<std::string> first_line(const std::string& path) {
    std::ifstream in{path};
    std::string line;
    std::getline(in, line);
    return words(line);
}

/// Whether `item` is one of the words of a comma-separated list: "cpu" is in "rw,cpu", not in
/// "rw,cpuset".
bool lists(std::string_view list, std::string_view item) {
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        if (list.substr(0, comma) == item) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

/// Undoes mountinfo's escapes: space, tab, newline and backslash are written as \040 and so on.
std::string unescape(std::string_view text) {
    const auto octal = [](char c) { return c >= '0' && c <= '7'; };
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) &&
            octal(text[i + 3])) {
            result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                        (text[i + 3] - '0'));
            i += 3;
        } else {
            result += text[i];
        }
    }
    return result;
}

enum class version { v1, v2 };

struct mount {
    std::string root;
    std::string point;
};

/// Returns: every place where the hierarchy that may hold a CPU quota is mounted.
std::vector<mount> find_mounts(const cgroup_files& files, version wanted) {
    std::vector<mount> result;
    std::ifstream in{files.root + "/proc/self/mountinfo"};
    for (std::string line; std::getline(in, line);) {
        const auto field = words(line);
        if (field.size() < 6) continue;
        // The number of optional fields before the dash differs from line to line.
        const auto dash = std::find(field.begin() + 6, field.end(), "-");
        if (field.end() - dash < 4) continue;
        const std::string& type = dash[1];
        const std::string& options = dash[3];
        const bool matches =
            wanted == version::v2 ? type == "cgroup2" : type == "cgroup" && lists(options, "cpu");
        if (matches) result.push_back({unescape(field[3]), unescape(field[4])});
    }
    return result;
}

/// Returns: our path in that hierarchy, as our namespace sees it.
std::optional<std::string> own_path(const cgroup_files& files, version wanted) {
    std::ifstream in{files.root + "/proc/self/cgroup"};
    for (std::string line; std::getline(in, line);) {
        const auto first = line.find(':');
        if (first == std::string::npos) continue;
        const auto second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string_view id = std::string_view{line}.substr(0, first);
        const std::string_view controllers =
            std::string_view{line}.substr(first + 1, second - first - 1);
        const bool matches =
            wanted == version::v2 ? id == "0" && controllers.empty() : lists(controllers, "cpu");
        if (matches) return line.substr(second + 1);
    }
    return std::nullopt;
}

/// Returns: `path` as seen below `root`, "" for root itself; nothing if it is not below it.
std::optional<std::string> below(const std::string& root, const std::string& path) {
    // A group outside our namespace is shown with "..": we cannot tell where that leads in a mount.
    if ((path + '/').find("/../") != std::string::npos) return std::nullopt;
    const std::string prefix = root == "/" ? "" : root;
    if (path.compare(0, prefix.size(), prefix) != 0) return std::nullopt;
    std::string rest = path.substr(prefix.size());
    if (!rest.empty() && rest.front() != '/') return std::nullopt;  // root /box, path /boxes
    while (!rest.empty() && rest.back() == '/') rest.pop_back();
    return rest;
}

/// Returns: the quota set on one group, rounded up to whole CPUs; nothing if it has none.
std::optional<unsigned> quota_of(const std::string& directory, version which) {
    std::optional<std::int64_t> quota;
    std::optional<std::int64_t> period;
    if (which == version::v2) {
        const auto line = first_line(directory + "/cpu.max");  // "50000 100000" or "max 100000"
        if (line.size() != 2) return std::nullopt;
        quota = parse<std::int64_t>(line[0]);
        period = parse<std::int64_t>(line[1]);
    } else {
        const auto quota_line = first_line(directory + "/cpu.cfs_quota_us");  // -1: no quota
        const auto period_line = first_line(directory + "/cpu.cfs_period_us");
        if (quota_line.size() != 1 || period_line.size() != 1) return std::nullopt;
        quota = parse<std::int64_t>(quota_line[0]);
        period = parse<std::int64_t>(period_line[0]);
    }
    if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
    const std::int64_t cpus = *quota / *period + (*quota % *period != 0 ? 1 : 0);
    constexpr std::int64_t most = std::numeric_limits<unsigned>::max();
    return static_cast<unsigned>(std::min(cpus, most));
}

void lower(std::optional<unsigned>& limit, std::optional<unsigned> other) {
    if (other && (!limit || *other < *limit)) limit = other;
}

std::optional<unsigned> limit_in(const cgroup_files& files, version which) {
    const auto path = own_path(files, which);
    const auto mounts = find_mounts(files, which);
    if (!path || mounts.empty()) return std::nullopt;

    // Of several mounts that hold our group, the one with the shortest root shows most ancestors.
    const mount* best = nullptr;
    std::string inside;
    for (const mount& candidate : mounts) {
        const auto rest = below(candidate.root, *path);
        if (rest && (best == nullptr || candidate.root.size() < best->root.size())) {
            best = &candidate;
            inside = *rest;
        }
    }
    if (best == nullptr) best = &mounts.front();  // other namespace: what is mounted is our group

    std::optional<unsigned> limit;
    const std::string top = files.root + (best->point == "/" ? "" : best->point);
    for (;;) {
        lower(limit, quota_of(top + inside, which));
        if (inside.empty()) return limit;
        inside.resize(inside.rfind('/'));  // below() returns "" or a text that starts with a slash
    }
}

/// Returns: `value` in quotes, fit for one line of text.
std::string quoted(std::string_view value) {
    constexpr std::size_t longest = 40;  // enough to recognise what was written
    std::string result = "\"";
    for (const char c : value.substr(0, longest)) {
        const bool printable = c >= ' ' && c != '\x7f';
        result += printable ? c : '?';
    }
    if (value.size() > longest) result += "...";
    return result + '"';
}

int read_own_affinity(std::size_t bytes, unsigned char* mask) {
    return sched_getaffinity(0, bytes, reinterpret_cast<cpu_set_t*>(mask)) == 0 ? 0 : errno;
}

}  // namespace

namespace detail {

std::optional<unsigned> cgroup_cpu_limit(const cgroup_files& files) {
    std::optional<unsigned> limit = limit_in(files, version::v1);
    lower(limit, limit_in(files, version::v2));  // both: hybrid set-ups
    return limit;
}

unsigned affinity_cpu_count(affinity_reader read) {
    // 128 bytes are the 1024 CPUs of a cpu_set_t; 1 MiB is far beyond any kernel's limit.
    for (std::size_t bytes = 128; bytes <= (std::size_t{1} << 20); bytes *= 2) {
        // In words, not bytes: cpu_set_t is an array of unsigned long and wants its alignment.
        std::vector<unsigned long> mask(bytes / sizeof(unsigned long));
        const int error = read(bytes, reinterpret_cast<unsigned char*>(mask.data()));
        if (error == EINVAL) continue;
        if (error != 0) break;
        unsigned cpus = 0;
        for (const unsigned long word : mask) cpus += static_cast<unsigned>(std::popcount(word));
        return std::max(cpus, 1U);
    }
    return std::max(std::thread::hardware_concurrency(), 1U);
}

unsigned worker_count_from(const char* variable, unsigned affinity_cpus,
                           const cgroup_files& files) {
    if (variable != nullptr) {
        const auto workers = parse<unsigned>(variable);
        if (!workers || *workers < 1 || *workers > most_workers) {
            throw std::invalid_argument("taskscope: " + std::string(variable_name) + " is " +
                                        quoted(variable) + "; write a whole number from 1 to " +
                                        std::to_string(most_workers) +
                                        ", or unset it to use what the CPUs allow");
        }
        return *workers;
    }
    const unsigned limit = cgroup_cpu_limit(files).value_or(affinity_cpus);
    return std::max(std::min(affinity_cpus, limit), 1U);
}

}  // namespace detail

unsigned default_worker_count() {
    return detail::worker_count_from(std::getenv(variable_name),
                                     detail::affinity_cpu_count(read_own_affinity), {});
}

}  // namespace taskscope
