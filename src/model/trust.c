/* trust.c -- plans both programs, and plans again until every kernel that will run is right.
 *
 * A kernel that dnn/kernel_check.h finds wrong is passed over in the next plan (dnn/
 * wrong_kernels.h), which changes the layouts, and with them perhaps other kernels: so all are
 * looked at again. Every round takes one more of oneDNN's finitely many implementations away; where
 * none is left, the model is refused by name. The outcome is a function of model, CPU and oneDNN,
 * as the kernels themselves are.
 */
#include <stdio.h>
#include <string.h>

#include "kernel_check.h"
#include "mem.h"
#include "model_internal.h"
#include "wrong_kernels.h"

/* Far more than oneDNN has implementations of anything. */
enum { MAX_ROUNDS = 100 };

typedef struct suspect {
    tr_dnn *dnn;
    const tr_program *program;
} suspect;

static tr_status distrust(void *context, size_t i, const tr_op_check *check, tr_error *err)
{
    const suspect *self = context;
    return check->ok ? TR_OK : tr_wrong_kernel_add(self->dnn, self->program, i, err);
}

/* As if nothing had been planned. */
static void drop_plans(tr_model *model)
{
    tr_plan_release(&model->training);
    tr_plan_release(&model->inference);
    for (int i = 0; i < model->n_layers; i++)
        for (int k = 0; k < model->layers[i]->n_params; k++) {
            model->layers[i]->params[k].plain = NULL;
            model->layers[i]->params[k].packed = NULL;
        }
    model->extents = (tr_extents){0};
}

/* From an offset in its range to one in the vector of them all. */
static void place_params(tr_model *model)
{
    const size_t *n = model->extents.n;
    const size_t begin[TR_N_RANGES] = {0, n[TR_TRAINED], n[TR_TRAINED] + n[TR_FROZEN]};
    for (int i = 0; i < model->n_layers; i++)
        for (int k = 0; k < model->layers[i]->n_params; k++) {
            tr_param *param = &model->layers[i]->params[k];
            param->offset += begin[param->range];
        }
    model->n_floats = begin[TR_STATISTICS] + n[TR_STATISTICS];
}

static tr_status plan(tr_model *model, tr_error *err)
{
    TR_TRY(tr_plan_make(&model->training, model, true, err));
    return tr_plan_make(&model->inference, model, false, err);
}

tr_status tr_model_plan(tr_model *model, tr_error *err)
{
    for (int round = 0; round < MAX_ROUNDS; round++) {
        const size_t n_before = tr_wrong_kernels(model->dnn);
        const tr_status status = plan(model, err);
        if (status != TR_OK)
            return status == TR_ERR_CONFIG && n_before > 0
                       ? tr_wrong_kernels_refuse(model->dnn, err)
                       : status;
        suspect training = {model->dnn, model->training.program};
        suspect inference = {model->dnn, model->inference.program};
        if (model->for_training)
            TR_TRY(tr_kernels_check(training.program, distrust, &training, err));
        TR_TRY(tr_kernels_check(inference.program, distrust, &inference, err));
        if (tr_wrong_kernels(model->dnn) == n_before) {
            place_params(model);
            return TR_OK;
        }
        drop_plans(model);
    }
    return tr_wrong_kernels_refuse(model->dnn, err);
}

/* ---- report ---- */

/* What an operation that had a wrong kernel runs on now; "": it is no longer there. */
static const char *successor(const tr_program *program, const tr_wrong_kernel *wrong, char impl[64])
{
    impl[0] = '\0';
    for (size_t i = 0; i < tr_program_n_ops(program); i++) {
        const tr_op_info op = tr_program_op(program, i);
        if (op.what == wrong->op.what && op.direction == wrong->op.direction &&
            op.phase == wrong->op.phase && strcmp(op.layer, wrong->op.layer) == 0)
            snprintf(impl, 64, "%s", op.impl);
    }
    return impl;
}

char *tr_model_wrong_kernels(const tr_model *model)
{
    char *text = NULL, impl[64], version[32];
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (out == NULL)
        return NULL;
    tr_dnn_version(version, sizeof version);
    for (size_t i = 0; i < tr_wrong_kernels(model->dnn); i++) {
        const tr_wrong_kernel wrong = tr_wrong_kernel_at(model->dnn, i);
        const tr_program *program =
            wrong.training ? model->training.program : model->inference.program;
        successor(program, &wrong, impl);
        fprintf(out,
                "layer %s, %s, %s (%s): the kernel %s of %s computes wrong results here and is not "
                "used%s%s\n",
                wrong.op.layer, wrong.op.what, tr_direction_name(wrong.op.direction),
                wrong.training ? "training" : "inference", wrong.impl, version,
                impl[0] == '\0' ? "" : "; in its place: ", impl);
    }
    fclose(out);
    return text;
}
