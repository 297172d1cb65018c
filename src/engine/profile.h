/* profile.h -- where the time of a step goes, per thread; off unless `trainer bench` asks for it.
 *
 * The step itself is measured, not a model of it: the hot path carries these marks, each a test of
 * a pointer while nobody asks. Consecutive laps leave no gap, so that the parts of a thread add up
 * to its time inside the parallel region.
 */
#ifndef TR_PROFILE_H
#define TR_PROFILE_H

#include <stddef.h>

#include "clock.h"

typedef enum tr_part {
    TR_PART_PREPARE,  /* weights reordered for kernels that want another layout */
    TR_PART_GATHER,   /* samples picked and scaled */
    TR_PART_FORWARD,  /* oneDNN */
    TR_PART_LOSS,     /* and its gradient */
    TR_PART_BACKWARD, /* oneDNN */
    TR_PART_WAIT,     /* for the other threads' last micro-batch */
    TR_PART_SUM,      /* of gradient slots */
    TR_PART_UPDATE,   /* optimizer */
    TR_N_PARTS
} tr_part;

extern const char *const tr_part_names[TR_N_PARTS];

/* Sums since tr_engine_profile(), of one thread. */
typedef struct tr_profile {
    int64_t part_ns[TR_N_PARTS];
    int64_t *op_ns; /* [operations of the training program] */
    int64_t last;   /* when the previous part ended */
} tr_profile;

static inline void tr_lap_begin(tr_profile *profile)
{
    if (profile != NULL)
        profile->last = tr_clock_ns();
}

/* The time since the last mark belongs to `part`. */
static inline void tr_lap(tr_profile *profile, tr_part part)
{
    if (profile == NULL)
        return;
    const int64_t now = tr_clock_ns();
    profile->part_ns[part] += now - profile->last;
    profile->last = now;
}

#endif
