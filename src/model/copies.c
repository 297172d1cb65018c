/* copies.c -- whether oneDNN copies weights rightly from layout to layout; looked at before each
 * run.
 *
 * oneDNN 3.7.1 loses weights on their way into blocks that pad the input channels, in bfloat16 and
 * in some float32 layouts; such a network trains, only badly. The other kernels are checked by
 * `trainer bench --verify`, which takes longer; this takes as long as copying the weights a few
 * times.
 */
#include <string.h>

#include "mem.h"
#include "model_internal.h"
#include "unpack.h"
#include "verify.h"

static tr_status refuse(const char *layer, const char *how, tr_error *err)
{
    char version[32];
    tr_dnn_version(version, sizeof version);
    return tr_fail(err, TR_ERR_CONFIG,
                   "%s copies the weights of layer %s wrongly (%s); use another oneDNN, or another "
                   "[engine] precision or isa",
                   version, layer, how);
}

/* ---- Keras's layout into the packed one ---- */

/* Position by position, the plain copy that oneDNN makes of the packed weight and the packed weight
 * itself, both read by unpack.h. A copy that loses something on its way in or out shows. */
static tr_status check_weight(const tr_model *model, int i, tr_error *err)
{
    const tr_param *param = tr_model_param(model, i);
    const size_t n = (size_t)tr_param_elements(param);
    int64_t n_dirty = 0;
    float *plain = tr_alloc(n, sizeof *plain);
    double *a = tr_alloc(n, sizeof *a), *b = tr_alloc(n, sizeof *b);
    tr_status status = plain == NULL || a == NULL || b == NULL
                           ? tr_out_of_memory(err, NULL)
                           : tr_model_get_weight(model, i, plain, err);
    if (status == TR_OK && tr_layout_unpack(param->plain, plain, a, &n_dirty) &&
        tr_layout_unpack(param->packed, model->params + param->offset, b, &n_dirty) &&
        (n_dirty != 0 || memcmp(a, b, n * sizeof *a) != 0))
        status = refuse(param->layer, "on the way from or to Keras's layout", err);
    tr_free(plain);
    tr_free(a);
    tr_free(b);
    return status;
}

/* ---- the packed layout into those of the kernels ---- */

static void keep_first_wrong(void *context, const tr_op_check *check)
{
    tr_op_check *first = context;
    if (!check->ok && first->ok)
        *first = *check;
}

static tr_status check_program(const tr_model *model, const tr_program *program, tr_error *err)
{
    tr_op_check first = {.ok = true};
    tr_replica *replica = NULL;
    tr_verifier *verifier = NULL;
    tr_status status = tr_replica_new(&replica, program, model->params, err);
    if (status == TR_OK)
        status = tr_verifier_new(&verifier, replica, err);
    if (status == TR_OK)
        status = tr_verifier_run(verifier, TR_PREPARE, keep_first_wrong, &first, err);
    tr_verifier_free(verifier);
    tr_replica_free(replica);
    return status != TR_OK || first.ok ? status : refuse(first.op.layer, first.op.impl, err);
}

tr_status tr_check_copies(const tr_model *model, tr_error *err)
{
    const int n_weights = tr_model_n_weights(model);
    for (int i = 0; i < n_weights; i++)
        TR_TRY(check_weight(model, i, err));
    TR_TRY(check_program(model, model->training.program, err));
    return check_program(model, model->inference.program, err);
}
