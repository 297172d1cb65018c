/* memory_limit.c -- see memory_limit.h. */
#include "memory_limit.h"

#include <string.h>

#include "cgroup.h"

enum { NUMBER_BYTES = 64, TABLE_BYTES = 16384 };

/* ---- tables of "name value" lines ---- */

/* Behind `name`, where a line begins with it; in units that the caller knows. */
static bool find_number(const char *table, const char *name, int64_t *value)
{
    const size_t n = strlen(name);
    for (const char *at = table; at != NULL; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, name, n) != 0)
            continue;
        at += n;
        at += strspn(at, " :\t");
        return tr_digits_take(&at, value);
    }
    return false;
}

/* ---- the machine ---- */

static uint64_t kilobytes(const char *table, const char *name)
{
    int64_t value;
    return find_number(table, name, &value) ? (uint64_t)value * 1024 : UINT64_MAX;
}

/* ---- control groups ---- */

static bool read_number(const char *folder, const char *name, int64_t *value)
{
    char text[NUMBER_BYTES];
    const char *at = text;
    return tr_small_file_read(text, sizeof text, "%s/%s", folder, name) &&
           tr_digits_take(&at, value) && tr_text_ends(at);
}

/* What the kernel takes back from a group before it lets the group fail: its cache of files. */
static int64_t cache_of(const char *folder, int version)
{
    char table[TABLE_BYTES];
    int64_t active = 0, inactive = 0;
    if (!tr_small_file_read(table, sizeof table, "%s/memory.stat", folder))
        return 0;
    find_number(table, version == 2 ? "active_file " : "total_active_file ", &active);
    find_number(table, version == 2 ? "inactive_file " : "total_inactive_file ", &inactive);
    return active + inactive;
}

static void read_group(void *user, const char *folder, int version)
{
    tr_memory_limit *limit = user;
    int64_t most, used = 0;
    if (!read_number(folder, version == 2 ? "memory.max" : "memory.limit_in_bytes", &most))
        return; /* "max" */
    read_number(folder, version == 2 ? "memory.current" : "memory.usage_in_bytes", &used);
    used -= cache_of(folder, version);
    const uint64_t left = used < 0 ? (uint64_t)most : used < most ? (uint64_t)(most - used) : 0;
    if ((uint64_t)most < limit->bytes) {
        limit->bytes = (uint64_t)most;
        limit->what = "its control group (cgroup)";
    }
    if (left < limit->left)
        limit->left = left;
}

/* ---- together ---- */

tr_memory_limit tr_memory_limit_read(const char *root)
{
    char table[TABLE_BYTES];
    tr_memory_limit limit = {UINT64_MAX, UINT64_MAX, "this machine"};
    if (tr_small_file_read(table, sizeof table, "%s/proc/meminfo", root)) {
        limit.bytes = kilobytes(table, "MemTotal:");
        limit.left = kilobytes(table, "MemAvailable:");
    }
    tr_cgroup_visit(root, "memory", read_group, &limit);
    return limit;
}

uint64_t tr_memory_left(void)
{
    return tr_memory_limit_read("").left;
}
