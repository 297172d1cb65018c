/* peak.h -- the most that a core's multiply-add units can do, measured. */
#ifndef TR_PEAK_H
#define TR_PEAK_H

#include <stdbool.h>

#include "trainer/config.h"

/* Runs fused multiply-adds between registers alone, nothing read or written, for about `ms`
 * milliseconds, with the instructions of `isa` (in effect: TR_ISA_AUTO means neither AVX2 nor
 * AVX-512 nor NEON) and the numbers of `precision`; the calling thread's rate in GFLOP/s, a
 * multiply-add counting two. 0: unknown for this machine. `tiles`: bfloat16's are products of AMX's
 * matrix tiles, or, where the system does not permit them, those of AVX512_BF16. */
double tr_peak_gflops(tr_isa isa, bool tiles, tr_precision precision, double ms);

#endif
