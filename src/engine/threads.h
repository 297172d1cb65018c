/* threads.h -- OpenMP's questions with their answers for a build without it.
 *
 * Together with the pragmas in step.c this is all of OpenMP in the project's own code. Built
 * without it (TRAINER_OPENMP=OFF) the same program runs on one thread, with the same result.
 */
#ifndef TR_THREADS_H
#define TR_THREADS_H

#ifdef _OPENMP
#include <omp.h>

static inline int tr_thread_number(void)
{
    return omp_get_thread_num();
}

/* Of `wanted` threads, those that this build can use. */
static inline int tr_threads_usable(int wanted)
{
    return wanted;
}

/* Threads that the parallel region at work really got; fewer than asked for under a limit. */
static inline int tr_thread_count(void)
{
    return omp_get_num_threads();
}
#else
static inline int tr_thread_number(void)
{
    return 0;
}

static inline int tr_threads_usable(int wanted)
{
    (void)wanted;
    return 1;
}

static inline int tr_thread_count(void)
{
    return 1;
}
#endif

/* Treats denormal numbers as zero in the calling thread until tr_restore_denormals() is given what
 * this returned; part of the numeric contract, so that a network whose weights die out does not
 * slow down a hundredfold. */
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
