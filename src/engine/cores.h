/* cores.h -- how many cores this process may keep busy, as Linux tells it.
 *
 * Three facts: the CPUs of the affinity mask, the physical cores behind them (two hyperthreads of a
 * core share its vector units and its cache, so a second thread there costs more than it brings),
 * and the CPU quota of the process's cgroups, which is how containers are limited. What to make of
 * them is decided in thread_count.h.
 *
 * The facts come from files that may be missing, or in a container may be anything: a file that is
 * absent or does not say what it should does not count, and nothing here fails.
 */
#ifndef TR_CORES_H
#define TR_CORES_H

#include <sched.h>
#include <stdbool.h>

/* Enough for any kernel (8192 CPUs on x86-64), where a plain cpu_set_t ends at 1024. */
enum { TR_MAX_CPUS = 64 * CPU_SETSIZE };

typedef struct tr_cpu_mask {
    cpu_set_t sets[TR_MAX_CPUS / CPU_SETSIZE]; /* one mask, for the CPU_..._S() macros */
} tr_cpu_mask;

typedef struct tr_cores {
    int affinity_cpus;  /* CPUs of the mask */
    int physical_cores; /* cores that these belong to */
    double quota;       /* CPUs' worth of time that the cgroups allow; 0: no limit */
} tr_cores;

bool tr_cpu_mask_has(const tr_cpu_mask *mask, int cpu);
void tr_cpu_mask_add(tr_cpu_mask *mask, int cpu); /* beyond TR_MAX_CPUS: does nothing */

/* Reads <root>/sys and <root>/proc; `root` is "" but in tests. */
tr_cores tr_cores_read(const char *root, const tr_cpu_mask *mask);

#endif
