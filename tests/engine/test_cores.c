/* test_cores.c -- fake trees of /proc and /sys: CPUs, cores, quotas, and files that lie. */
#include "cores.h"

#include <criterion/criterion.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "mem.h"
#include "net.h"

/* ---- a tree ---- */

static void plant(const char *path, const char *text)
{
    tr_error err = {0};
    char *whole = tr_path_join(test_folder(), path);
    cr_assert_eq(tr_folder_prepare(dirname(whole), &err), TR_OK, "%s", err.text);
    tr_free(whole);
    test_file(path, text);
}

static void plant_siblings(int cpu, const char *name, const char *list)
{
    char path[128];
    snprintf(path, sizeof path, "sys/devices/system/cpu/cpu%d/topology/%s", cpu, name);
    plant(path, list);
}

static tr_cores read_cores(const int *cpus, int n)
{
    static tr_cpu_mask mask;
    mask = (tr_cpu_mask){0};
    for (int i = 0; i < n; i++)
        tr_cpu_mask_add(&mask, cpus[i]);
    return tr_cores_read(test_folder(), &mask);
}

#define READ(...)                                                                                  \
    read_cores((const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void expect_cores(tr_cores cores, int cpus, int physical)
{
    cr_expect_eq(cores.affinity_cpus, cpus, "%d CPUs, not %d", cores.affinity_cpus, cpus);
    cr_expect_eq(cores.physical_cores, physical, "%d cores, not %d", cores.physical_cores,
                 physical);
}

static void expect_quota(double quota)
{
    const tr_cores cores = READ(0);
    cr_expect_eq(cores.quota, quota, "quota of %g, not %g", cores.quota, quota);
}

/* ---- cores ---- */

Test(cores, without_files_every_cpu_is_a_core_and_no_quota)
{
    const tr_cores cores = READ(0, 1, 5, 2000, TR_MAX_CPUS - 1, TR_MAX_CPUS, -1);
    expect_cores(cores, 5, 5);
    cr_expect_eq(cores.quota, 0);
}

Test(cores, hyperthreads_are_counted_once)
{
    /* Siblings half the machine apart, side by side, and beyond the 1024 CPUs of a cpu_set_t. */
    static const char *const lists[] = {"0,4\n", "1,5\n", "2-3\n", "2-3\n", "0,4\n", "1,5\n"};
    for (int cpu = 0; cpu < 6; cpu++)
        plant_siblings(cpu, "core_cpus_list", lists[cpu]);
    plant_siblings(1500, "thread_siblings_list", "1500,5500\n"); /* the older name */
    plant_siblings(5500, "thread_siblings_list", "1500,5500\n");
    expect_cores(READ(0, 1, 2, 3, 4, 5), 6, 3);
    expect_cores(READ(0, 4, 1500, 5500), 4, 2);
}

Test(cores, one_sibling_in_the_mask_is_a_core)
{
    static const char *const lists[] = {"0,4", "1,5", "2,6", "3,7"};
    for (int cpu = 0; cpu < 8; cpu++)
        plant_siblings(cpu, "core_cpus_list", lists[cpu % 4]);
    expect_cores(READ(4, 5, 6, 7), 4, 4);
    expect_cores(READ(0, 5, 2, 7), 4, 4);
    expect_cores(READ(0, 4, 5), 3, 2);
}

Test(cores, lists_that_make_no_sense_do_not_count)
{
    static const char *const lists[] = {"",
                                        "\n",
                                        "0",
                                        "0-",
                                        "-1",
                                        "0;7",
                                        "0,,7",
                                        "0,7,",
                                        "0,7 x",
                                        "0,7-x",
                                        "zero",
                                        "7-0",
                                        "0-6",
                                        "8",
                                        "0x7",
                                        "0,7\n0,7",
                                        "0,99999999999999999999,7",
                                        "0,7,18446744073709551615"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        plant_siblings(7, "core_cpus_list", lists[i]);
        expect_cores(READ(0, 7), 2, 2);
    }
    static char longest[100000];
    for (size_t i = 0; i + 4 < sizeof longest; i += 4)
        memcpy(longest + i, "0,7,", 4);
    strcpy(longest + strlen(longest), "7");
    plant_siblings(7, "core_cpus_list", longest);
    expect_cores(READ(0, 7), 2, 2);
    plant_siblings(7, "core_cpus_list", "0,7,9223372036854775807"); /* odd, but a list */
    expect_cores(READ(0, 7), 2, 1);
}

/* ---- cgroup v2 ---- */

Test(cores, v2_quota)
{
    plant("proc/self/cgroup", "0::/user.slice/job\n");
    plant("sys/fs/cgroup/user.slice/job/cpu.max", "400000 100000\n");
    expect_quota(4);
    plant("sys/fs/cgroup/user.slice/job/cpu.max", "150000 100000\n");
    expect_quota(1.5);
    plant("sys/fs/cgroup/user.slice/job/cpu.max", "max 100000\n");
    expect_quota(0);
}

Test(cores, v2_smallest_quota_of_all_ancestors)
{
    plant("proc/self/cgroup", "0::/a/b:c/d\n"); /* a name may have a colon */
    plant("sys/fs/cgroup/a/b:c/d/cpu.max", "max 100000\n");
    plant("sys/fs/cgroup/a/b:c/cpu.max", "600000 100000\n");
    expect_quota(6);
    plant("sys/fs/cgroup/a/cpu.max", "50000 20000\n");
    expect_quota(2.5);
    plant("sys/fs/cgroup/a/b:c/d/cpu.max", "300000 100000\n");
    expect_quota(2.5);
    plant("sys/fs/cgroup/a/b/cpu.max", "1000 100000\n"); /* not ours */
    plant("sys/fs/cgroup/a/b:c/d/e/cpu.max", "1000 100000\n");
    expect_quota(2.5);
}

Test(cores, v2_in_a_container_the_root_of_the_mount)
{
    plant("sys/fs/cgroup/cpu.max", "200000 100000\n");
    plant("proc/self/cgroup", "0::/docker/0123456789abcdef\n");
    expect_quota(2);
    plant("proc/self/cgroup", "0::/\n");
    expect_quota(2);
    plant("proc/self/cgroup", "0::/../other\n"); /* seen from a namespace of its own */
    plant("sys/fs/other/cpu.max", "100000 100000\n");
    plant("sys/fs/cpu.max", "100000 100000\n");
    expect_quota(2);
}

/* ---- cgroup v1 ---- */

Test(cores, v1_quota)
{
    plant("proc/self/cgroup", "12:cpuset:/x\n4:cpuacct,cpu:/a/b\n1:name=systemd:/c\n");
    plant("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "250000\n");
    plant("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n");
    expect_quota(2.5);
    plant("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n");
    expect_quota(0);
    plant("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "300000\n");
    plant("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    expect_quota(3);
}

Test(cores, v1_in_a_container_and_beside_v2)
{
    plant("proc/self/cgroup", "3:cpu:/docker/0123\n0::/init.scope\n");
    plant("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "700000\n");
    plant("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    expect_quota(7);
    plant("sys/fs/cgroup/unified/cpu.max", "300000 100000\n");
    expect_quota(3);
}

Test(cores, v1_other_controllers_do_not_count)
{
    plant("proc/self/cgroup", "3:cpuset,cpuacct:/\n2:name=cpu:/\n");
    plant("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
    plant("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    expect_quota(0);
}

/* ---- files that lie ---- */

Test(cores, quotas_that_make_no_sense_do_not_count)
{
    static const char *const texts[] = {"",
                                        "\n",
                                        "max",
                                        "100000",
                                        "100000 ",
                                        "100000 0\n",
                                        "0 100000\n",
                                        "-1 100000",
                                        "100000 -100",
                                        "100000 max\n",
                                        "1e5 100000",
                                        "100000,50000",
                                        " 1000 1000",
                                        "1000 1000 1000",
                                        "0x10 16",
                                        "99999999999999999999 100000",
                                        "100000 99999999999999999999",
                                        "\xff\xfe 1"};
    plant("proc/self/cgroup", "4:cpu:/\n0::/\n");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        plant("sys/fs/cgroup/cpu.max", texts[i]);
        expect_quota(0);
    }
    static const char *const numbers[] = {"", "0", "-5", "x", "1 2", "1.5", "9999999999999999999"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        plant("sys/fs/cgroup/cpu/cpu.cfs_quota_us", numbers[i]);
        plant("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
        expect_quota(0);
        plant("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
        plant("sys/fs/cgroup/cpu/cpu.cfs_period_us", numbers[i]);
        expect_quota(0);
    }
    plant("sys/fs/cgroup/cpu.max", "9223372036854775807 1\n"); /* huge, and no less a number */
    expect_quota(9223372036854775807.0);
}

Test(cores, group_lists_that_make_no_sense_do_not_count)
{
    static const char *const texts[] = {
        "",     "\n\n",  ":", "::",     "0::",     "0::x",   "0:cpu",  "0:/",
        ":::/", "cpu:/", "/", "0::\n/", "0:cpu:x", "0:,,:/", "\xff:\n"};
    plant("sys/fs/cgroup/cpu.max", "100000 100000\n");
    plant("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
    plant("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        plant("proc/self/cgroup", texts[i]);
        expect_quota(0);
    }
    static char longest[100000] = "0::/";
    memset(longest + 4, 'x', 10000); /* a path that fits no path: the root is left */
    plant("proc/self/cgroup", longest);
    expect_quota(1);
    memset(longest + 4, 'x', sizeof longest - 5); /* longer than the list may be */
    plant("proc/self/cgroup", longest);
    expect_quota(0);
    memset(longest + 4, '/', 3000);
    longest[3004] = '\0';
    plant("proc/self/cgroup", longest);
    expect_quota(1);
}
