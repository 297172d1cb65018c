/* dnn.h -- oneDNN made small: the engine, the instruction set, and memory layouts.
 *
 * This folder is the only place that includes dnnl.h and the only one that knows oneDNN 2.x from
 * 3.x. Above it there are layouts (how a tensor lies in memory), programs (program.h: a network as
 * a list of planned primitives) and replicas (replica.h: one thread's memory to run a program in).
 *
 * oneDNN runs single-threaded here, always: a thread of the engine takes a micro-batch through all
 * primitives alone. Primitives must be created while omp_get_max_threads() is 1 (created with more
 * and run inside a parallel region, backward-weights waits for threads that never come), so
 * tr_dnn_new() sets the calling thread's count to 1 and tr_dnn_free() restores it; parallel regions
 * state their own.
 */
#ifndef TR_DNN_H
#define TR_DNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels.h"
#include "trainer/config.h"
#include "trainer/status.h"

typedef struct tr_dnn tr_dnn;

/* Reads isa, precision, convolution and kernels of `config`. The isa limits oneDNN to an
 * instruction set; it holds for the whole process, so the first call decides and a later, different
 * limit fails. TR_ISA_AUTO leaves the choice to oneDNN (and to its environment variable
 * DNNL_MAX_CPU_ISA). TR_ERR_CONFIG: this CPU does not have the instruction set, or not for that
 * precision. */
tr_status tr_dnn_new(tr_dnn **out, const tr_engine_config *config, tr_error *err);
void tr_dnn_free(tr_dnn *dnn);

/* Threads that OpenMP offered (OMP_NUM_THREADS, else the affinity mask) before oneDNN was limited
 * to one. */
int tr_dnn_threads(const tr_dnn *dnn);

tr_isa tr_dnn_isa(void);                   /* in effect: AVX512, AVX2 or NEON; AUTO: none of them */
bool tr_dnn_tiles(void);                   /* whether bfloat16 may go through AMX's tiles */
const char *tr_dnn_isa_name(void);         /* the instruction set in effect, e.g. "AVX-512" */
void tr_dnn_version(char *text, size_t n); /* "oneDNN 2.6.3" */

/* The kernels of our own that are in use; NULL: none. */
const tr_kernels *tr_dnn_own(const tr_dnn *dnn);

/* What the bits of a result depend on besides configuration and data: "AVX2, oneDNN 2.6.3". */
void tr_dnn_arithmetic(const tr_dnn *dnn, char *text, size_t n);

/* ---- layouts ---- */

/* A tensor's dimensions, type of number and arrangement in memory. Interned by the tr_dnn that made
 * it and owned by it: equal layouts are the same pointer. NULL where a maker ran out of memory. */
typedef const struct tr_layout_box *tr_layout;

/* Logical dimension order is oneDNN's: n c h w for images, n c for flat vectors, o i h w for
 * kernels, where o counts over all groups, i within one; the names say the order in memory. `any`
 * lets a primitive choose; the others, for what is seen outside of src/dnn, are float32. */
tr_layout tr_layout_any(tr_dnn *dnn, tr_precision type, int n_dims, const int64_t *dims);
tr_layout tr_layout_nhwc(tr_dnn *dnn, int64_t n, int64_t h, int64_t w, int64_t c);
tr_layout tr_layout_nc(tr_dnn *dnn, int64_t n, int64_t c);
tr_layout tr_layout_hwio(tr_dnn *dnn, int64_t h, int64_t w, int64_t i, int64_t o);
tr_layout tr_layout_hwigo(tr_dnn *dnn, int64_t g, int64_t h, int64_t w, int64_t i, int64_t o);
tr_layout tr_layout_io(tr_dnn *dnn, int64_t i, int64_t o);
tr_layout tr_layout_x(tr_dnn *dnn, int64_t n);

int tr_layout_dims(tr_layout layout, int64_t dims[4]); /* returns their number */
tr_precision tr_layout_type(tr_layout layout);
size_t tr_layout_bytes(tr_layout layout); /* with the padding of blocked layouts */

/* Copies a tensor from one float32 layout to another of the same dimensions, in plain C: releases
 * of oneDNN have lost weights on this way. Not for the hot path; copy.c. */
tr_status tr_layout_copy(tr_layout from, const float *src, tr_layout to, float *dst, tr_error *err);

#endif
