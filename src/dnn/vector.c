/* vector.c -- an image in whatever layout, seen as [n, h*w*c] in Keras's order, and back; see
 * primitives.h.
 */
#include <string.h>

#include "primitives.h"

tr_status tr_program_vector(tr_program *program, tr_value value, tr_value *vector, tr_error *err)
{
    int64_t d[4];
    const int n_dims = tr_layout_dims(tr_program_layout(program, value), d);
    tr_dnn *dnn = tr_program_dnn(program);
    if (n_dims == 2)
        return tr_program_reorder(program, value, tr_layout_nc(dnn, d[0], d[1]), vector, err);
    TR_TRY(tr_program_reorder(program, value, tr_layout_nhwc(dnn, d[0], d[2], d[3], d[1]), &value,
                              err));
    *vector = tr_program_view(program, value, tr_layout_nc(dnn, d[0], d[1] * d[2] * d[3]));
    return *vector == TR_NO_VALUE ? tr_out_of_memory(err, NULL) : TR_OK;
}

tr_status tr_program_unvector(tr_program *program, tr_value diff, tr_value like, tr_value *out,
                              tr_error *err)
{
    int64_t d[4];
    *out = diff;
    if (tr_layout_dims(tr_program_layout(program, like), d) == 2)
        return TR_OK;
    *out = tr_program_view(program, diff,
                           tr_layout_nhwc(tr_program_dnn(program), d[0], d[2], d[3], d[1]));
    return *out == TR_NO_VALUE ? tr_out_of_memory(err, NULL) : TR_OK;
}

tr_status tr_program_reshape(tr_program *program, tr_value value, int n_dims, const int64_t *dims,
                             tr_value *out, tr_error *err)
{
    int64_t d[4];
    tr_dnn *dnn = tr_program_dnn(program);
    *out = value;
    if (tr_layout_dims(tr_program_layout(program, value), d) == n_dims &&
        memcmp(d, dims, (size_t)n_dims * sizeof *d) == 0)
        return TR_OK;
    TR_TRY(tr_program_vector(program, value, out, err));
    if (n_dims == 4)
        *out =
            tr_program_view(program, *out, tr_layout_nhwc(dnn, dims[0], dims[2], dims[3], dims[1]));
    return *out == TR_NO_VALUE ? tr_out_of_memory(err, NULL) : TR_OK;
}
