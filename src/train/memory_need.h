/* memory_need.h -- the memory that a run will take at its peak, before it starts.
 *
 * Nothing is computed: the engine and the saver of the run are made with blocks that have addresses
 * but no pages, so that their sizes are those of the real ones, whatever is planned.
 */
#ifndef TR_MEMORY_NEED_H
#define TR_MEMORY_NEED_H

#include "memory_limit.h"
#include "trainer/dataset.h"
#include "trainer/model.h"

typedef struct tr_memory_need {
    uint64_t data;    /* images and labels, or the rings of streamed images */
    uint64_t model;   /* weights, gradients, optimizer, activations of all threads */
    uint64_t saving;  /* a checkpoint on its way */
    uint64_t program; /* itself, its libraries, the kernels that they make */
    uint64_t total;
} tr_memory_need;

/* `model` is built; `data` was looked at (tr_dataset_look()); of none, n is 0. */
tr_status tr_memory_need_of(tr_memory_need *out, tr_model *model, const tr_dataset_outline *data,
                            tr_error *err);

#endif
