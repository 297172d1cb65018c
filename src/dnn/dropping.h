/* dropping.h -- what dropping.c, noise.c and the plain reference share; for src/dnn only. */
#ifndef TR_DROPPING_H
#define TR_DROPPING_H

#include "pixels.h"

/* dst = kept ? src * scale + shift : dropped; backward the scale alone, or 0. */
typedef struct tr_drop_line {
    double scale, shift, dropped;
} tr_drop_line;
tr_drop_line tr_drop_line_of(const tr_dropping *dropping);

/* noise.c: *factors: in memory order, what backward multiplies by. */
tr_status tr_noise_forward(tr_program *program, const tr_dropping *dropping, const tr_pixels *at,
                           tr_value src, tr_value *dst, tr_value *factors, tr_error *err);
tr_status tr_noise_backward(tr_program *program, const tr_dropping *dropping, tr_value factors,
                            tr_value diff_dst, tr_value *diff_src, tr_error *err);

#endif
