// tests/executor/worker_count_test.cpp - how many workers, from made-up /proc and cgroup trees.
// SPDX-License-Identifier: MIT
#include <taskscope/worker_count.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>

namespace {

using taskscope::detail::affinity_cpu_count;
using taskscope::detail::cgroup_cpu_limit;
using taskscope::detail::cgroup_files;
using taskscope::detail::worker_count_from;

constexpr std::optional<unsigned> no_limit;

std::string v1_mount(const std::string& root, const std::string& point) {
    return "31 25 0:27 " + root + " " + point +
           " rw,nosuid,relatime shared:9 master:2 - cgroup cgroup rw,cpu,cpuacct\n";
}

std::string v2_mount(const std::string& root, const std::string& point) {
    return "32 25 0:28 " + root + " " + point + " rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
}

/// A directory that plays the part of "/", gone again with the test.
class worker_count : public testing::Test {
protected:
    worker_count() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "taskscope.XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
        root_ = pattern;
    }
    ~worker_count() override {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }

    void write(const std::string& path, const std::string& text) const {
        const std::filesystem::path full = root_.string() + path;
        std::filesystem::create_directories(full.parent_path());
        std::ofstream{full} << text;
    }
    void mounts(const std::string& lines) const {
        // Real ones among others: neither of these two may be taken for a CPU controller.
        write("/proc/self/mountinfo",
              "25 1 8:1 / / rw,relatime - ext4 /dev/root rw\n" + lines +
                  "40 25 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n");
    }
    void groups(const std::string& lines) const { write("/proc/self/cgroup", lines); }
    void v1_quota(const std::string& directory, const std::string& quota,
                  const std::string& period = "100000") const {
        write(directory + "/cpu.cfs_quota_us", quota + "\n");
        write(directory + "/cpu.cfs_period_us", period + "\n");
    }

    std::optional<unsigned> limit() const { return cgroup_cpu_limit(files()); }
    cgroup_files files() const { return {root_.string()}; }

private:
    std::filesystem::path root_;
};

TEST_F(worker_count, without_any_file_there_is_no_limit) {
    EXPECT_EQ(limit(), no_limit);
    EXPECT_EQ(worker_count_from(nullptr, 6, files()), 6U);
}

TEST_F(worker_count, v2_reads_cpu_max) {
    mounts(v2_mount("/", "/sys/fs/cgroup"));
    groups("0::/job\n");
    write("/sys/fs/cgroup/job/cpu.max", "300000 100000\n");
    EXPECT_EQ(limit(), 3U);
}

TEST_F(worker_count, v1_reads_quota_and_period) {
    mounts(v1_mount("/", "/sys/fs/cgroup/cpu,cpuacct"));
    groups("9:name=systemd:/else\n5:cpuset:/else\n4:cpu,cpuacct:/job\n");
    v1_quota("/sys/fs/cgroup/cpu,cpuacct/job", "100000", "50000");
    EXPECT_EQ(limit(), 2U);
}

TEST_F(worker_count, a_fraction_of_a_cpu_is_rounded_up) {
    mounts(v2_mount("/", "/cg"));
    groups("0::/job\n");
    const auto limit_for = [this](const char* text) {
        write("/cg/job/cpu.max", text);
        return limit();
    };
    EXPECT_EQ(limit_for("50000 100000\n"), 1U);
    EXPECT_EQ(limit_for("1000 100000\n"), 1U);
    EXPECT_EQ(limit_for("100000 100000\n"), 1U);
    EXPECT_EQ(limit_for("100001 100000\n"), 2U);
    EXPECT_EQ(limit_for("150000 100000\n"), 2U);
}

TEST_F(worker_count, max_and_minus_one_are_no_limit) {
    mounts(v1_mount("/", "/v1") + v2_mount("/", "/v2"));
    groups("4:cpu:/job\n0::/job\n");
    v1_quota("/v1/job", "-1");
    write("/v2/job/cpu.max", "max 100000\n");
    EXPECT_EQ(limit(), no_limit);
}

TEST_F(worker_count, v2_takes_the_smallest_quota_on_the_way_up) {
    mounts(v2_mount("/", "/cg"));
    groups("0::/a/b/c\n");
    write("/cg/a/b/c/cpu.max", "800000 100000\n");
    write("/cg/a/b/cpu.max", "max 100000\n");
    write("/cg/a/cpu.max", "200000 100000\n");
    write("/cg/other/cpu.max", "100000 100000\n");
    EXPECT_EQ(limit(), 2U);
}

TEST_F(worker_count, v1_takes_the_smallest_quota_on_the_way_up) {
    mounts(v1_mount("/", "/cg"));
    groups("4:cpu:/a/b\n");
    v1_quota("/cg/a/b", "250000");
    v1_quota("/cg/a", "-1");
    v1_quota("/cg", "400000");
    EXPECT_EQ(limit(), 3U);
}

TEST_F(worker_count, the_walk_ends_at_the_mount_point) {
    mounts(v2_mount("/", "/sys/fs/cgroup"));
    groups("0::/job\n");
    write("/sys/fs/cgroup/cpu.max", "500000 100000\n");
    write("/sys/fs/cpu.max", "100000 100000\n");
    EXPECT_EQ(limit(), 5U);
}

TEST_F(worker_count, in_a_hybrid_tree_the_smaller_of_both_versions_holds) {
    mounts(v1_mount("/", "/sys/fs/cgroup/cpu") + v2_mount("/", "/sys/fs/cgroup/unified"));
    groups("4:cpu:/job\n0::/job\n");
    v1_quota("/sys/fs/cgroup/cpu/job", "700000");
    EXPECT_EQ(limit(), 7U);
    write("/sys/fs/cgroup/unified/job/cpu.max", "600000 100000\n");
    EXPECT_EQ(limit(), 6U);
}

TEST_F(worker_count, a_container_with_its_own_namespace_has_its_quota_at_the_mount_point) {
    mounts(v2_mount("/", "/sys/fs/cgroup"));
    groups("0::/\n");
    write("/sys/fs/cgroup/cpu.max", "150000 100000\n");
    EXPECT_EQ(limit(), 2U);
}

TEST_F(worker_count, a_container_may_see_the_hosts_path_as_the_root_of_the_mount) {
    mounts(v1_mount("/docker/4f", "/sys/fs/cgroup/cpu"));
    groups("4:cpu:/docker/4f\n");
    v1_quota("/sys/fs/cgroup/cpu", "200000");
    EXPECT_EQ(limit(), 2U);

    groups("4:cpu:/docker/4f/inner\n");
    v1_quota("/sys/fs/cgroup/cpu/inner", "100000");
    EXPECT_EQ(limit(), 1U);
}

TEST_F(worker_count, path_and_mount_root_from_different_namespaces_leave_the_mount_point) {
    write("/sys/fs/cgroup/cpu.max", "400000 100000\n");
    for (const char* root : {"/docker/4f", "/../..", "/kubelet/pod"}) {
        for (const char* path : {"/", "/../job", "/elsewhere"}) {
            mounts(v2_mount(root, "/sys/fs/cgroup"));
            groups(std::string("0::") + path + "\n");
            EXPECT_EQ(limit(), 4U) << root << " and " << path;
        }
    }
}

TEST_F(worker_count, a_root_that_only_begins_like_the_path_is_not_its_ancestor) {
    mounts(v2_mount("/box", "/cg"));
    groups("0::/boxes\n");
    write("/cg/es/cpu.max", "100000 100000\n");
    write("/cges/cpu.max", "100000 100000\n");
    EXPECT_EQ(limit(), no_limit);
}

TEST_F(worker_count, of_several_mounts_the_one_that_shows_most_ancestors_counts) {
    mounts(v2_mount("/other", "/other") + v2_mount("/a/b", "/inner") + v2_mount("/", "/outer"));
    groups("0::/a/b\n");
    write("/other/cpu.max", "100000 100000\n");
    write("/inner/cpu.max", "400000 100000\n");
    write("/outer/a/b/cpu.max", "400000 100000\n");
    write("/outer/a/cpu.max", "300000 100000\n");
    EXPECT_EQ(limit(), 3U);
}

TEST_F(worker_count, escaped_mount_points_and_colons_in_paths_are_understood) {
    mounts(v2_mount("/", "/my\\040groups"));
    groups("0::/job:7\n");
    write("/my groups/job:7/cpu.max", "200000 100000\n");
    EXPECT_EQ(limit(), 2U);
}

TEST_F(worker_count, garbage_is_no_limit) {
    mounts(v1_mount("/", "/v1") + v2_mount("/", "/v2"));
    groups("4:cpu:/job\n0::/job\n");
    for (const char* text :
         {"", "\n", "garbage\n", "100000\n", "0 100000\n", "-5 100000\n", "100000 0\n",
          "100000 -1\n", "100000x 100000\n", "1e5 100000\n", "100000 100000 7\n",
          "99999999999999999999 100000\n", "+100000 100000\n"}) {
        write("/v2/job/cpu.max", text);
        EXPECT_EQ(limit(), no_limit) << '"' << text << '"';
    }
    v1_quota("/v1/job", "many");
    EXPECT_EQ(limit(), no_limit);
    v1_quota("/v1/job", "100000", "0");
    EXPECT_EQ(limit(), no_limit);
}

TEST_F(worker_count, a_garbled_level_does_not_hide_its_ancestors) {
    mounts(v2_mount("/", "/cg"));
    groups("0::/a/b\n");
    write("/cg/a/b/cpu.max", "garbage\n");
    write("/cg/a/cpu.max", "200000 100000\n");
    EXPECT_EQ(limit(), 2U);
}

TEST_F(worker_count, garbled_lines_in_proc_are_skipped) {
    write("/proc/self/mountinfo",
          "\n-\n1 2 3\n31 25 0:27 / /x rw - cgroup2\n1 2 3 4 5 6 7 8 9\n" + v2_mount("/", "/cg"));
    groups("\nnothing\n0:\n::\n0::/job\n");
    write("/cg/job/cpu.max", "200000 100000\n");
    EXPECT_EQ(limit(), 2U);
}

TEST_F(worker_count, a_missing_half_is_no_limit) {
    mounts(v1_mount("/", "/v1"));
    EXPECT_EQ(limit(), no_limit) << "no /proc/self/cgroup";
    groups("4:cpu:/job\n");
    EXPECT_EQ(limit(), no_limit) << "no quota files";
    write("/v1/job/cpu.cfs_quota_us", "100000\n");
    EXPECT_EQ(limit(), no_limit) << "quota without period";
    std::filesystem::create_directories(files().root + "/v1/job/cpu.cfs_period_us");
    EXPECT_EQ(limit(), no_limit) << "a directory in place of the period";
}

TEST_F(worker_count, a_huge_quota_does_not_overflow) {
    mounts(v2_mount("/", "/cg"));
    groups("0::/job\n");
    write("/cg/job/cpu.max", "9223372036854775807 1\n");
    EXPECT_EQ(worker_count_from(nullptr, 8, files()), 8U);
}

TEST_F(worker_count, affinity_and_quota_the_smaller_one_counts_and_one_is_the_least) {
    mounts(v2_mount("/", "/cg"));
    groups("0::/job\n");
    write("/cg/job/cpu.max", "300000 100000\n");
    EXPECT_EQ(worker_count_from(nullptr, 2, files()), 2U);
    EXPECT_EQ(worker_count_from(nullptr, 64, files()), 3U);
    EXPECT_EQ(worker_count_from(nullptr, 0, files()), 1U);
}

TEST_F(worker_count, the_variable_overrules_affinity_and_quota) {
    mounts(v2_mount("/", "/cg"));
    groups("0::/job\n");
    write("/cg/job/cpu.max", "100000 100000\n");
    EXPECT_EQ(worker_count_from("1", 4, files()), 1U);
    EXPECT_EQ(worker_count_from("16", 4, files()), 16U);
    EXPECT_EQ(worker_count_from("1024", 4, files()), 1024U);
}

TEST_F(worker_count, anything_else_in_the_variable_is_refused) {
    for (const char* text : {"", " ", "0", "-1", "+4", "1025", "4 ", " 4", "4.0", "0x4", "four",
                             "99999999999999999999"}) {
        EXPECT_THROW((void)worker_count_from(text, 4, files()), std::invalid_argument)
            << '"' << text << '"';
    }
}

std::string refusal(const char* value) {
    try {
        (void)worker_count_from(value, 4, {});
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "accepted";
}

TEST_F(worker_count, the_refusal_says_what_was_written_and_what_to_write) {
    EXPECT_EQ(refusal("many"),
              "taskscope: TASKSCOPE_WORKERS is \"many\"; write a whole number from 1 to 1024, or "
              "unset it to use what the CPUs allow");
}

TEST_F(worker_count, the_refusal_stays_one_short_line) {
    const std::string text = refusal(("two\nlines" + std::string(5000, 'x')).c_str());
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_LT(text.size(), 200U);
    EXPECT_NE(text.find("\"two?lines"), std::string::npos) << text;
}

TEST(affinity_cpu_count, counts_the_bits_of_the_mask) {
    EXPECT_EQ(affinity_cpu_count([](std::size_t, unsigned char* mask) {
                  mask[0] = 0b1011;
                  mask[127] = 0x80;
                  return 0;
              }),
              4U);
}

TEST(affinity_cpu_count, grows_the_mask_for_a_machine_with_more_than_1024_cpus) {
    EXPECT_EQ(affinity_cpu_count([](std::size_t bytes, unsigned char* mask) {
                  if (bytes < 4096 / 8) return EINVAL;
                  std::memset(mask, 0xff, 3000 / 8);
                  return 0;
              }),
              3000U);
}

TEST(affinity_cpu_count, falls_back_to_at_least_one_when_the_kernel_will_not_say) {
    EXPECT_GE(affinity_cpu_count([](std::size_t, unsigned char*) { return EINVAL; }), 1U);
    EXPECT_GE(affinity_cpu_count([](std::size_t, unsigned char*) { return EPERM; }), 1U);
    EXPECT_EQ(affinity_cpu_count([](std::size_t, unsigned char*) { return 0; }), 1U);
}

/// Sets TASKSCOPE_WORKERS for a block; null unsets it.
class workers_variable {
public:
    explicit workers_variable(const char* value) {
        if (const char* old = std::getenv(name)) before_ = old;
        set(value);
    }
    ~workers_variable() { set(before_ ? before_->c_str() : nullptr); }
    workers_variable(const workers_variable&) = delete;
    workers_variable& operator=(const workers_variable&) = delete;

private:
    static constexpr const char* name = "TASKSCOPE_WORKERS";
    static void set(const char* value) {
        if (value != nullptr) {
            setenv(name, value, 1);
        } else {
            unsetenv(name);
        }
    }
    std::optional<std::string> before_;
};

TEST(default_worker_count, on_this_machine_is_at_least_one) {
    const workers_variable unset{nullptr};
    EXPECT_GE(taskscope::default_worker_count(), 1U);
}

TEST(default_worker_count, reads_the_variable) {
    {
        const workers_variable set{"7"};
        EXPECT_EQ(taskscope::default_worker_count(), 7U);
    }
    const workers_variable set{"none"};
    EXPECT_THROW((void)taskscope::default_worker_count(), std::invalid_argument);
}

}  // namespace
