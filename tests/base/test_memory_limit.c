/* test_memory_limit.c -- fake trees of /proc and /sys: the machine's memory, and what control
 * groups of both versions leave of it.
 */
#include "memory_limit.h"

#include <criterion/criterion.h>
#include <libgen.h>
#include <string.h>

#include "file.h"
#include "mem.h"
#include "net.h"

enum { MIB = 1 << 20 };

static void plant(const char *path, const char *text)
{
    tr_error err = {0};
    char *whole = tr_path_join(test_folder(), path);
    cr_assert_eq(tr_folder_prepare(dirname(whole), &err), TR_OK, "%s", err.text);
    tr_free(whole);
    test_file(path, text);
}

static void plant_machine(void)
{
    plant("proc/meminfo", "MemTotal:        8388608 kB\nMemFree:          100 kB\n"
                          "MemAvailable:    4194304 kB\nBuffers: 1 kB\n");
}

static void expect(uint64_t mebibytes, uint64_t left, const char *what)
{
    const tr_memory_limit limit = tr_memory_limit_read(test_folder());
    cr_expect_eq(limit.bytes, mebibytes * MIB, "%llu MiB, not %llu",
                 (unsigned long long)(limit.bytes / MIB), (unsigned long long)mebibytes);
    cr_expect_eq(limit.left, left * MIB, "%llu MiB left, not %llu",
                 (unsigned long long)(limit.left / MIB), (unsigned long long)left);
    cr_expect_not_null(strstr(limit.what, what), "%s", limit.what);
}

Test(memory_limit, without_groups_it_is_the_machine)
{
    plant_machine();
    expect(8192, 4096, "this machine");
}

Test(memory_limit, nothing_known_is_no_limit)
{
    const tr_memory_limit limit = tr_memory_limit_read("/nonexistent");
    cr_expect(limit.bytes == UINT64_MAX && limit.left == UINT64_MAX);
}

/* A cache of files is given back; the group above has less left than its child. */
Test(memory_limit, version_2)
{
    plant_machine();
    plant("proc/self/cgroup", "0::/a/b\n");
    plant("sys/fs/cgroup/a/b/memory.max", "max\n");
    expect(8192, 4096, "this machine");
    plant("sys/fs/cgroup/a/b/memory.max", "1073741824\n");    /* 1024 MiB */
    plant("sys/fs/cgroup/a/b/memory.current", "524288000\n"); /* 500 MiB */
    expect(1024, 524, "cgroup");
    plant("sys/fs/cgroup/a/b/memory.stat",
          "anon 1\ninactive_file 104857600\nactive_file 209715200\nshmem 5\n"); /* 300 MiB */
    expect(1024, 824, "cgroup");
    plant("sys/fs/cgroup/a/memory.max", "2147483648\n");
    plant("sys/fs/cgroup/a/memory.current", "2042626048\n"); /* 1948 MiB */
    expect(1024, 100, "cgroup");
}

/* Without a limit version 1 says a number that no machine has. */
Test(memory_limit, version_1)
{
    plant_machine();
    plant("proc/self/cgroup", "7:cpu,cpuacct:/x\n4:memory:/job\n0::/\n");
    plant("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    plant("sys/fs/cgroup/memory/memory.usage_in_bytes", "1000\n");
    expect(8192, 4096, "this machine");
    plant("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "268435456\n");
    plant("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "167772160\n");
    plant("sys/fs/cgroup/memory/job/memory.stat",
          "active_file 1\ntotal_inactive_file 20971520\ntotal_active_file 10485760\n");
    expect(256, 126, "cgroup");
    plant("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "968435456\n");
    expect(256, 0, "cgroup");
}
