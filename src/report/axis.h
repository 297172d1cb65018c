/* axis.h -- range and ticks of an axis; pure arithmetic. */
#ifndef TR_AXIS_H
#define TR_AXIS_H

#include <stdbool.h>
#include <stdint.h>

enum { TR_TICKS_MAX = 16 };

typedef struct tr_tick {
    double value;
    char label[24];
} tr_tick;

typedef struct tr_axis {
    double low, high; /* low < high */
    bool logarithmic;
    int exponent; /* labels are in units of 10^exponent; 0: as they are */
    int n_ticks;
    tr_tick ticks[TR_TICKS_MAX];
} tr_axis;

/* Epochs first..last, ticks at whole numbers. */
void tr_axis_of_epochs(tr_axis *axis, int64_t first, int64_t last);

/* Finite values least..most with a margin, ticks at round numbers; constant values, and none
 * (least > most), get a range too. Logarithmic where that is allowed and the values are positive
 * and span more than three decades. */
void tr_axis_of_values(tr_axis *axis, double least, double most, bool may_be_logarithmic);

/* Where a value lies: 0 at low, 1 at high. */
double tr_axis_place(const tr_axis *axis, double value);

#endif
