/* thread_count.h -- how many threads an engine gets, and why, in words for whoever started it.
 *
 * In this order: [engine] threads, if it is a number; OMP_NUM_THREADS; the physical cores of the
 * affinity mask, or the cgroup quota where that is less. More than can run at once are never used:
 * micro-batches that take turns on a core drive each other out of its cache. The result is the same
 * with any number.
 */
#ifndef TR_THREAD_COUNT_H
#define TR_THREAD_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cores.h"

enum { TR_WHY_MAX = 128 };

typedef struct tr_thread_wishes {
    bool openmp;              /* built with it; without, there is one thread */
    int64_t configured;       /* [engine] threads; 0: auto */
    int offered;              /* by OpenMP */
    bool offered_by_variable; /* and OMP_NUM_THREADS is where it has the number from */
} tr_thread_wishes;

/* The number, at least 1; `why` becomes a text such as "4 physical cores of 8 usable CPUs". */
int tr_threads_decide(const tr_thread_wishes *wishes, const tr_cores *cores, char why[TR_WHY_MAX]);

/* The same for this process. `configured`: [engine] threads, 0 for auto; `offered`: what OpenMP
 * offered before anybody limited it (tr_dnn_threads()). */
int tr_threads_choose(int64_t configured, int offered, char why[TR_WHY_MAX]);

#endif
