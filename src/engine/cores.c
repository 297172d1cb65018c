/* cores.c -- reads /sys/devices/system/cpu and the cgroups; see cores.h.
 *
 * Nothing allocates: texts and paths have fixed room, and what does not fit does not count.
 */
#include "cores.h"

#include <stdint.h>

#include "cgroup.h"

enum { LINE_MAX_BYTES = 1024 }; /* the files of one line */

/* ---- cores ---- */

bool tr_cpu_mask_has(const tr_cpu_mask *mask, int cpu)
{
    return cpu >= 0 && CPU_ISSET_S((size_t)cpu, sizeof mask->sets, mask->sets);
}

void tr_cpu_mask_add(tr_cpu_mask *mask, int cpu)
{
    if (cpu >= 0)
        CPU_SET_S((size_t)cpu, sizeof mask->sets, mask->sets);
}

/* Whether a list of siblings such as "0-3,8" names a CPU of the mask below `cpu`. One that does not
 * even name `cpu` itself is no list of its siblings. */
static bool has_lower_sibling(const char *list, int cpu, const tr_cpu_mask *mask)
{
    bool itself = false, lower = false;
    const char *at = list;
    for (;; at++) {
        int64_t first, last;
        if (!tr_digits_take(&at, &first))
            return false;
        last = first;
        if (*at == '-' && (at++, !tr_digits_take(&at, &last)))
            return false;
        itself |= first <= cpu && cpu <= last;
        for (int64_t i = first; i <= last && i < cpu; i++)
            lower |= tr_cpu_mask_has(mask, (int)i);
        if (*at != ',')
            break;
    }
    return tr_text_ends(at) && itself && lower;
}

/* A core is counted with the lowest of its CPUs in the mask; a CPU of which nothing is known counts
 * as a core. */
static bool stands_for_core(const char *root, int cpu, const tr_cpu_mask *mask)
{
    char list[LINE_MAX_BYTES];
    const char *const folder = "sys/devices/system/cpu";
    /* The second is the name before Linux 5.3. */
    if (!tr_small_file_read(list, sizeof list, "%s/%s/cpu%d/topology/core_cpus_list", root, folder,
                            cpu) &&
        !tr_small_file_read(list, sizeof list, "%s/%s/cpu%d/topology/thread_siblings_list", root,
                            folder, cpu))
        return true;
    return !has_lower_sibling(list, cpu, mask);
}

/* ---- quotas ---- */

static void keep_smaller(double *quota, int64_t time, int64_t period)
{
    if (time < 1 || period < 1)
        return;
    const double cpus = (double)time / (double)period;
    if (*quota == 0 || cpus < *quota)
        *quota = cpus;
}

/* cgroup v2: "max 100000" or "150000 100000". */
static void read_v2(const char *folder, double *quota)
{
    char text[LINE_MAX_BYTES];
    const char *at = text;
    int64_t time, period;
    if (tr_small_file_read(text, sizeof text, "%s/cpu.max", folder) && tr_digits_take(&at, &time) &&
        *at++ == ' ' && tr_digits_take(&at, &period) && tr_text_ends(at))
        keep_smaller(quota, time, period);
}

static bool read_number(const char *folder, const char *name, int64_t *value)
{
    char text[LINE_MAX_BYTES];
    const char *at = text;
    return tr_small_file_read(text, sizeof text, "%s/%s", folder, name) &&
           tr_digits_take(&at, value) && tr_text_ends(at);
}

/* cgroup v1: a file each, -1 for no quota. */
static void read_v1(const char *folder, double *quota)
{
    int64_t time, period;
    if (read_number(folder, "cpu.cfs_quota_us", &time) &&
        read_number(folder, "cpu.cfs_period_us", &period))
        keep_smaller(quota, time, period);
}

static void read_quota(void *quota, const char *folder, int version)
{
    if (version == 2)
        read_v2(folder, quota);
    else
        read_v1(folder, quota);
}

/* ---- together ---- */

tr_cores tr_cores_read(const char *root, const tr_cpu_mask *mask)
{
    tr_cores cores = {0};
    tr_cgroup_visit(root, "cpu", read_quota, &cores.quota);
    for (int cpu = 0; cpu < TR_MAX_CPUS; cpu++) {
        if (!tr_cpu_mask_has(mask, cpu))
            continue;
        cores.affinity_cpus++;
        cores.physical_cores += stands_for_core(root, cpu, mask);
    }
    return cores;
}
