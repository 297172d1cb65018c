/* normalization_walk.c -- see normalization.h. */
#include <string.h>

#include "normalization.h"

enum { VECTOR = 8, WIDE = 64, NARROW = 16 };
enum { FLOATS_AT_ONCE = 4096 }; /* of bfloat16: 16 KB as float32 */

/* Pixels that make a row of whole vectors. */
static int64_t abreast_of(int64_t run)
{
    if (run >= WIDE)
        return 1;
    return run % VECTOR == 0 ? WIDE / run : NARROW;
}

tr_walk tr_walk_of(const tr_pixels *at, int64_t samples, int64_t channels)
{
    tr_walk walk = {.at = *at,
                    .sharing = {.samples = samples,
                                .channels = channels,
                                .n_groups = (at->n + samples - 1) / samples,
                                .n_pixels = at->h * at->w},
                    .n_samples = at->n,
                    .padded = at->n_runs * at->run,
                    .abreast = abreast_of(at->run)};
    walk.at.h = walk.sharing.n_pixels;
    walk.at.w = 1;
    if (walk.sharing.n_pixels == 1) { /* vectors: each sample is a pixel */
        walk.at.h = at->n;
        walk.at.step_pixel = at->step_sample;
    }
    return walk;
}

int64_t tr_walk_samples(const tr_walk *walk, int64_t group, int64_t limit, int64_t *first)
{
    *first = group * walk->sharing.samples;
    const int64_t left = limit - *first;
    const int64_t samples = left < walk->sharing.samples ? left : walk->sharing.samples;
    return samples < 0 ? 0 : samples;
}

int64_t tr_walk_strips(const tr_walk *walk, int64_t samples)
{
    return walk->sharing.n_pixels == 1 && samples > 0 ? 1 : samples;
}

tr_strip tr_walk_strip(const tr_walk *walk, int64_t first, int64_t samples, int64_t r, int64_t i)
{
    return (tr_strip){.begin = (first + i) * walk->at.step_sample + r * walk->at.step_run,
                      .count = walk->sharing.n_pixels == 1 ? samples : walk->sharing.n_pixels};
}

int64_t tr_walk_block(const tr_walk *walk)
{
    const int64_t longest = walk->at.h, few = FLOATS_AT_ONCE / walk->at.run / NARROW * NARROW;
    return walk->at.type == TR_FLOAT32 ? longest : few > NARROW ? few : NARROW;
}

int64_t tr_walk_room(const tr_walk *walk)
{
    return walk->at.type == TR_FLOAT32 ? 0 : tr_walk_block(walk) * walk->at.run;
}

int64_t tr_row_room(const tr_walk *walk)
{
    return walk->abreast * walk->at.run;
}

const float *tr_row(const tr_walk *walk, const float *values, float *room)
{
    const int64_t run = walk->at.run;
    if (walk->abreast == 1)
        return values;
    for (int64_t i = 0; i < walk->abreast; i++)
        memcpy(room + i * run, values, (size_t)run * sizeof *values);
    return room;
}

tr_rows tr_rows_of(const tr_walk *walk, const tr_pixel_block *block)
{
    if (walk->abreast == 1 || block->step != walk->at.run)
        return (tr_rows){.rest = block->count};
    return (tr_rows){.wide = block->count / walk->abreast, .rest = block->count % walk->abreast};
}

void tr_walk_clear(const tr_walk *walk, void *memory, int64_t first)
{
    const int64_t step = walk->at.step_sample;
    const size_t item = walk->at.type == TR_FLOAT32 ? sizeof(float) : sizeof(uint16_t);
    memset(tr_element(memory, walk->at.type, first * step), 0,
           (size_t)((walk->n_samples - first) * step) * item);
}

int tr_add_gradient_arg(tr_program *program, const tr_param *param, int role, tr_arg *args,
                        int *n_args)
{
    if (param == NULL || param->range != TR_TRAINED)
        return -1;
    args[*n_args] = (tr_arg){role, tr_program_gradient(program, param)};
    return (*n_args)++;
}

int tr_add_vector_arg(tr_program *program, tr_param *param, int role, tr_arg *args, int *n_args)
{
    if (param == NULL)
        return -1;
    args[*n_args] = (tr_arg){role, tr_program_vector_param(program, param)};
    return (*n_args)++;
}
