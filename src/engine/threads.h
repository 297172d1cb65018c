/* threads.h -- OpenMP's questions with their answers for a build without it.
 *
 * Together with the pragmas in step.c this is all of OpenMP in the project's own code. Built
 * without it (TRAINER_OPENMP=OFF) the same program runs on one thread, with the same result.
 */
#ifndef TR_THREADS_H
#define TR_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#include "cores.h"
#include "mem.h"

#ifdef _OPENMP
#include <omp.h>

static inline bool tr_has_openmp(void)
{
    return true;
}

/* Adds the CPUs of all places when OpenMP binds its threads to places (OMP_PROC_BIND, OMP_PLACES,
 * GOMP_CPU_AFFINITY); otherwise, or when memory is out, returns false. */
static inline bool tr_bound_cpus(tr_cpu_mask *mask)
{
    const int n_places = omp_get_proc_bind() == omp_proc_bind_false ? 0 : omp_get_num_places();
    for (int place = 0; place < n_places; place++) {
        const int n = omp_get_place_num_procs(place);
        int *cpus = tr_alloc((size_t)n, sizeof *cpus);
        if (cpus == NULL)
            return false;
        omp_get_place_proc_ids(place, cpus);
        for (int i = 0; i < n; i++)
            tr_cpu_mask_add(mask, cpus[i]);
        tr_free(cpus);
    }
    return n_places > 0;
}

static inline int tr_thread_number(void)
{
    return omp_get_thread_num();
}

/* Threads that the parallel region at work really got; fewer than asked for under a limit. */
static inline int tr_thread_count(void)
{
    return omp_get_num_threads();
}
#else
static inline bool tr_has_openmp(void)
{
    return false;
}

static inline bool tr_bound_cpus(tr_cpu_mask *mask)
{
    (void)mask;
    return false;
}

static inline int tr_thread_number(void)
{
    return 0;
}

static inline int tr_thread_count(void)
{
    return 1;
}
#endif

/* Treats denormal numbers as zero in the calling thread until tr_restore_denormals() is given what
 * this returned; part of the numeric contract, so that a network whose weights die out does not
 * slow down a hundredfold. x86 and ARM agree on all but one thing: what is less than half a unit
 * in the last place below the smallest normal number rounds up to it on x86 and is zero on ARM,
 * which looks before it rounds. */
#if defined(__SSE2__)
#include <xmmintrin.h>

static inline unsigned tr_flush_denormals(void)
{
    enum { FLUSH_TO_ZERO = 0x8000, DENORMALS_ARE_ZERO = 0x0040 };
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
    return before;
}

static inline void tr_restore_denormals(unsigned before)
{
    _mm_setcsr(before);
}
#elif defined(__aarch64__)
static inline void tr_restore_denormals(unsigned before)
{
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)before) : "memory");
}

static inline unsigned tr_flush_denormals(void)
{
    enum { FLUSH_TO_ZERO = 1 << 24 }; /* of operands, too */
    uint64_t before;                  /* the upper half is reserved, and zero */
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    tr_restore_denormals((unsigned)before | FLUSH_TO_ZERO);
    return (unsigned)before;
}
#else
static inline unsigned tr_flush_denormals(void)
{
    return 0;
}

static inline void tr_restore_denormals(unsigned before)
{
    (void)before;
}
#endif

#endif
