/* augmenting.h -- what operations that change images at random share; for src/dnn only. Images are
 * float32 in Keras's order, as they come into a network.
 */
#ifndef TR_AUGMENTING_H
#define TR_AUGMENTING_H

#include "program_internal.h"
#include "rng.h"

/* The numbers that sample i of a micro-batch has in that layer; i < draw->n. */
void tr_chances_of(const tr_draw *draw, uint32_t layer, int64_t i, float chances[TR_N_CHANCES]);

/* The address of sample i's numbers. */
tr_mask_address tr_chance_address(const tr_draw *draw, uint32_t layer, int64_t i);

/* Such images of the dimensions of `like`, but for height and width. */
tr_layout tr_plain_images(const tr_program *program, tr_value like, int64_t h, int64_t w);

/* The value as such images. */
tr_status tr_as_plain_images(tr_program *program, tr_value *value, tr_error *err);

/* Room for n_bytes of each sample, by which backward does as forward did. */
tr_value tr_for_each_sample(tr_program *program, tr_value like, size_t n_bytes);

#endif
