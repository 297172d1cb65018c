/* prelu.c -- dst = x > 0 ? x : alpha x, with slopes that are learned.
 *
 * Keras's PReLU: a slope for each number of a sample, or one along the axes (1: height, 2: width,
 * 3: channels) of shared_axes. Parameter: alpha, of the sample's shape, 1 where it is shared.
 */
#include <stddef.h>

#include "layer.h"
#include "weight_keys.h"

enum { MAX_AXES = 3 };

typedef struct prelu {
    tr_layer base;
    tr_reals shared_axes; /* none: nothing is shared */
    tr_weight_rules alpha;
    tr_slopes slopes;
} prelu;

static const tr_key keys[] = {
    {.name = "shared_axes",
     .kind = TR_KEY_REALS,
     .offset = offsetof(prelu, shared_axes),
     .min = 1,
     .max = MAX_AXES,
     .optional = true,
     .whole = true,
     .doc = "axes with one slope: 1 height, 2 width, 3 channels (none)"},
    TR_KEYS_WEIGHT(prelu, alpha, "zeros"),
    TR_KEY_TRAINABLE,
};

static bool shares(const prelu *self, int axis)
{
    for (int i = 0; i < self->shared_axes.n; i++)
        if ((int)self->shared_axes.values[i] == axis)
            return true;
    return false;
}

static tr_status prelu_shape(tr_layer *layer, tr_error *err)
{
    prelu *self = (prelu *)layer;
    const tr_shape *src = &layer->src;
    const int64_t all[3] = {src->h, src->w, src->c}, *sizes = src->flat ? all + 2 : all;
    const int n_axes = src->flat ? 1 : 3;
    int64_t dims[3] = {1, 1, 1}, steps[3] = {0, 0, 0}, step = 1;
    layer->dst = *src;
    for (int i = 0; i < self->shared_axes.n; i++)
        if (self->shared_axes.values[i] != (double)(int)self->shared_axes.values[i])
            return tr_fail(err, TR_ERR_CONFIG, "shared_axes: %g is no axis; they are 1, 2 and 3",
                           self->shared_axes.values[i]);
    for (int axis = n_axes; axis < MAX_AXES; axis++)
        if (shares(self, axis + 1))
            return tr_fail(err, TR_ERR_CONFIG, "shared_axes has %d, but a flat vector has one axis",
                           axis + 1);
    for (int axis = n_axes - 1; axis >= 0; axis--) {
        dims[axis] = shares(self, axis + 1) ? 1 : sizes[axis];
        steps[axis] = dims[axis] == 1 ? 0 : step;
        step *= dims[axis];
    }
    self->slopes =
        src->flat ? (tr_slopes){.step_c = steps[0]} : (tr_slopes){steps[0], steps[1], steps[2]};
    tr_layer_add_param(layer, "alpha", n_axes, dims, &self->alpha);
    return TR_OK;
}

/* A vector is one in Keras's order, whatever it lies in. */
static tr_status enter(const tr_layer *layer, tr_program *program, tr_value value, tr_value *in,
                       tr_error *err)
{
    *in = value;
    return layer->src.flat ? tr_program_vector(program, value, in, err) : TR_OK;
}

static tr_status prelu_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                               tr_error *err)
{
    tr_value src;
    TR_TRY(enter(layer, program, tape->src, &src, err));
    return tr_prelu_forward(program, &((prelu *)layer)->slopes, &layer->params[0], src, dst, err);
}

static tr_status prelu_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    tr_value src, diff;
    TR_TRY(enter(layer, program, tape->src, &src, err));
    TR_TRY(enter(layer, program, diff_dst, &diff, err));
    TR_TRY(tr_prelu_backward(program, &((prelu *)layer)->slopes, &layer->params[0], src, diff,
                             diff_src == NULL ? NULL : &diff, err));
    if (diff_src == NULL)
        return TR_OK;
    *diff_src = diff;
    return layer->src.flat ? tr_program_unvector(program, diff, tape->src, diff_src, err) : TR_OK;
}

const tr_layer_ops tr_prelu_ops = {
    .type = "prelu",
    .keras_class = "PReLU",
    .doc = "negative numbers multiplied by slopes that are learned",
    .bytes = sizeof(prelu),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = prelu_shape,
    .forward = prelu_forward,
    .backward = prelu_backward,
};
