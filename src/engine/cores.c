/* cores.c -- reads /sys/devices/system/cpu and the cgroups; see cores.h.
 *
 * Nothing allocates: texts and paths have fixed room, and what does not fit does not count.
 */
#include "cores.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 1024,    /* the files of one line */
    CGROUPS_MAX_BYTES = 16384 /* /proc/self/cgroup: a dozen lines, each with a path */
};

/* ---- texts ---- */

/* The whole file whose path `format` makes, as a string; false when it cannot be read or is longer
 * than the n - 1 bytes there is room for. */
__attribute__((format(printf, 3, 4))) static bool read_text(char *text, size_t n,
                                                            const char *format, ...)
{
    char path[PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof path)
        return false;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t filled = 0;
    ssize_t got = 0;
    while (filled < n && (got = read(fd, text + filled, n - filled)) > 0)
        filled += (size_t)got;
    close(fd);
    if (filled == n || got < 0)
        return false;
    text[filled] = '\0';
    return true;
}

/* A number of digits alone at *at, which then points behind it. No sign: what is negative in these
 * files means "none". */
static bool take_number(const char **at, int64_t *value)
{
    char *end;
    if (!isdigit((unsigned char)**at))
        return false;
    errno = 0;
    *value = strtoll(*at, &end, 10);
    *at = end;
    return errno == 0;
}

static bool is_end(const char *at)
{
    return at[strspn(at, " \t\n")] == '\0';
}

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
        if (!take_number(&at, &first))
            return false;
        last = first;
        if (*at == '-' && (at++, !take_number(&at, &last)))
            return false;
        itself |= first <= cpu && cpu <= last;
        for (int64_t i = first; i <= last && i < cpu; i++)
            lower |= tr_cpu_mask_has(mask, (int)i);
        if (*at != ',')
            break;
    }
    return is_end(at) && itself && lower;
}

/* A core is counted with the lowest of its CPUs in the mask; a CPU of which nothing is known counts
 * as a core. */
static bool stands_for_core(const char *root, int cpu, const tr_cpu_mask *mask)
{
    char list[LINE_MAX_BYTES];
    const char *const folder = "sys/devices/system/cpu";
    /* The second is the name before Linux 5.3. */
    if (!read_text(list, sizeof list, "%s/%s/cpu%d/topology/core_cpus_list", root, folder, cpu) &&
        !read_text(list, sizeof list, "%s/%s/cpu%d/topology/thread_siblings_list", root, folder,
                   cpu))
        return true;
    return !has_lower_sibling(list, cpu, mask);
}

/* ---- quotas ---- */

typedef void read_quota_fn(const char *folder, double *quota);

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
    if (read_text(text, sizeof text, "%s/cpu.max", folder) && take_number(&at, &time) &&
        *at++ == ' ' && take_number(&at, &period) && is_end(at))
        keep_smaller(quota, time, period);
}

static bool read_number(const char *folder, const char *name, int64_t *value)
{
    char text[LINE_MAX_BYTES];
    const char *at = text;
    return read_text(text, sizeof text, "%s/%s", folder, name) && take_number(&at, value) &&
           is_end(at);
}

/* cgroup v1: a file each, -1 for no quota. */
static void read_v1(const char *folder, double *quota)
{
    int64_t time, period;
    if (read_number(folder, "cpu.cfs_quota_us", &time) &&
        read_number(folder, "cpu.cfs_period_us", &period))
        keep_smaller(quota, time, period);
}

/* The quota of the group and of all above it, each of which limits it. In a container the path may
 * be the host's: what is missing does not count, and the way up ends at the mount's root, which is
 * the container's own group there. */
static void read_upward(const char *root, const char *mount, const char *path,
                        read_quota_fn *read_quota, double *quota)
{
    char folder[PATH_MAX];
    const int base = snprintf(folder, sizeof folder, "%s/sys/fs/cgroup%s", root, mount);
    if (base < 0 || (size_t)base >= sizeof folder)
        return;
    /* "/../x" is a group outside of what this process may see. */
    if (strncmp(path, "/..", 3) == 0 && (path[3] == '/' || path[3] == '\0'))
        path = "";
    const size_t length = strlen(path);
    if (length < sizeof folder - (size_t)base)
        memcpy(folder + base, path, length + 1);
    for (;;) {
        read_quota(folder, quota);
        char *slash = strrchr(folder + base, '/');
        if (slash == NULL)
            return;
        *slash = '\0';
    }
}

static bool names_cpu(char *controllers)
{
    char *rest;
    for (char *name = strtok_r(controllers, ",", &rest); name != NULL;
         name = strtok_r(NULL, ",", &rest))
        if (strcmp(name, "cpu") == 0)
            return true;
    return false;
}

/* Lines are "id:controllers:/path", and v2's "0::/path". Both can be there at once. */
static double read_quotas(const char *root)
{
    static const char *const mounts_v2[] = {"", "/unified"};
    static const char *const mounts_v1[] = {"/cpu", "/cpu,cpuacct", "/cpuacct,cpu"};
    char text[CGROUPS_MAX_BYTES], *rest;
    double quota = 0;
    if (!read_text(text, sizeof text, "%s/proc/self/cgroup", root))
        return 0;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *controllers = strchr(line, ':');
        char *path = controllers == NULL ? NULL : strchr(++controllers, ':');
        if (path == NULL || path[1] != '/')
            continue;
        *path++ = '\0';
        if (*controllers == '\0')
            for (size_t i = 0; i < sizeof mounts_v2 / sizeof *mounts_v2; i++)
                read_upward(root, mounts_v2[i], path, read_v2, &quota);
        else if (names_cpu(controllers))
            for (size_t i = 0; i < sizeof mounts_v1 / sizeof *mounts_v1; i++)
                read_upward(root, mounts_v1[i], path, read_v1, &quota);
    }
    return quota;
}

/* ---- together ---- */

tr_cores tr_cores_read(const char *root, const tr_cpu_mask *mask)
{
    tr_cores cores = {.quota = read_quotas(root)};
    for (int cpu = 0; cpu < TR_MAX_CPUS; cpu++) {
        if (!tr_cpu_mask_has(mask, cpu))
            continue;
        cores.affinity_cpus++;
        cores.physical_cores += stands_for_core(root, cpu, mask);
    }
    return cores;
}
