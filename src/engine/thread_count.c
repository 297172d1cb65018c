/* thread_count.c -- see thread_count.h. */
#include "thread_count.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "threads.h"

enum { NAME_MAX_BYTES = 48 };

/* ---- the decision ---- */

/* "1 usable CPU", "8 physical cores": what `cores` says of the machine, quota aside. That CPUs are
 * cores is claimed only where some were found to share one; else it may just be unknown. */
static void name_cpus(const tr_cores *cores, char text[NAME_MAX_BYTES])
{
    const bool shared = cores->physical_cores < cores->affinity_cpus;
    const int n = shared ? cores->physical_cores : cores->affinity_cpus;
    snprintf(text, NAME_MAX_BYTES, "%d %s%s", n, shared ? "physical core" : "usable CPU",
             n == 1 ? "" : "s");
}

static void name_quota(const tr_cores *cores, char text[NAME_MAX_BYTES])
{
    snprintf(text, NAME_MAX_BYTES, "cgroup quota of %.4g CPU%s", cores->quota,
             cores->quota == 1 ? "" : "s");
}

/* Whether the quota leaves less than n CPUs. Rounded up: half a CPU more is worth a thread. */
static bool quota_below(const tr_cores *cores, int n)
{
    return cores->quota > 0 && ceil(cores->quota) < n;
}

/* n threads because `source` says so, or as many of them as can run at once. */
static int grant(int n, const char *source, const tr_cores *cores, char why[TR_WHY_MAX])
{
    char quota[NAME_MAX_BYTES];
    const int cpus =
        cores->affinity_cpus > 0 && cores->affinity_cpus < n ? cores->affinity_cpus : n;
    name_quota(cores, quota);
    if (quota_below(cores, cpus)) { /* the tighter of the two is named */
        snprintf(why, TR_WHY_MAX, "%s asks for %d; %s", source, n, quota);
        return (int)ceil(cores->quota);
    }
    if (cpus < n)
        snprintf(why, TR_WHY_MAX, "%s asks for %d; %d usable CPU%s", source, n, cpus,
                 cpus == 1 ? "" : "s");
    else
        snprintf(why, TR_WHY_MAX, "%s", source);
    return cpus;
}

int tr_threads_decide(const tr_thread_wishes *wishes, const tr_cores *cores, char why[TR_WHY_MAX])
{
    char cpus[NAME_MAX_BYTES], quota[NAME_MAX_BYTES];
    if (!wishes->openmp) {
        snprintf(why, TR_WHY_MAX, "built without OpenMP");
        return 1;
    }
    if (wishes->configured > 0)
        return grant((int)wishes->configured, "engine.threads", cores, why);
    if (wishes->offered_by_variable)
        return grant(wishes->offered, "OMP_NUM_THREADS", cores, why);
    if (cores->affinity_cpus < 1) {
        snprintf(why, TR_WHY_MAX, "as many as OpenMP offers");
        return wishes->offered > 1 ? wishes->offered : 1;
    }
    name_cpus(cores, cpus);
    name_quota(cores, quota);
    if (quota_below(cores, cores->physical_cores)) {
        snprintf(why, TR_WHY_MAX, "%s; %s", quota, cpus);
        return (int)ceil(cores->quota);
    }
    if (cores->physical_cores < cores->affinity_cpus)
        snprintf(why, TR_WHY_MAX, "%s of %d usable CPUs", cpus, cores->affinity_cpus);
    else
        snprintf(why, TR_WHY_MAX, "%s", cpus);
    return cores->physical_cores;
}

/* ---- this process ---- */

/* A value that OpenMP refused ("none", "0", "4,x") is not where its number comes from, nor is one
 * that the embedding program has overruled. */
static bool is_from_variable(int offered)
{
    const char *text = getenv("OMP_NUM_THREADS");
    char *end;
    if (text == NULL)
        return false;
    errno = 0;
    const long first = strtol(text, &end, 10); /* of a list: the outermost level of parallelism */
    end += strspn(end, " \t");
    return errno == 0 && first == offered && (*end == '\0' || *end == ',');
}

int tr_threads_choose(int64_t configured, int offered, char why[TR_WHY_MAX])
{
    tr_cpu_mask mask = {0};
    /* A thread that OpenMP has bound to its place sees that place alone in its affinity mask. */
    if (!tr_bound_cpus(&mask) && sched_getaffinity(0, sizeof mask.sets, mask.sets) != 0)
        mask = (tr_cpu_mask){0};
    const tr_thread_wishes wishes = {.openmp = tr_has_openmp(),
                                     .configured = configured,
                                     .offered = offered,
                                     .offered_by_variable = is_from_variable(offered)};
    const tr_cores cores = tr_cores_read("", &mask);
    return tr_threads_decide(&wishes, &cores, why);
}
