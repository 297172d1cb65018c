/* self_check.c -- noise through both programs of a model; see self_check.h. */
#include "self_check.h"

#include "mem.h"
#include "rng.h"

enum { SEED = 20 };

typedef struct check_context {
    const tr_self_check_listener *listener;
    bool training;
} check_context;

static void pass_on(void *context, const tr_op_check *check)
{
    const check_context *self = context;
    self->listener->on_check(self->listener->user, self->training, check);
}

/* Numbers in [low, high). */
static void fill(const tr_program *program, tr_replica *replica, tr_value value, float low,
                 float high)
{
    float *data = tr_replica_data(replica, value);
    const size_t n = tr_layout_bytes(tr_program_layout(program, value)) / sizeof *data;
    for (size_t i = 0; i < n; i++)
        data[i] = low + (high - low) * tr_random_uniform(SEED, TR_PURPOSE_INIT, (uint32_t)value, i);
}

static tr_status check_plan(const tr_plan *plan, tr_replica *replica, check_context *context,
                            tr_error *err)
{
    tr_verifier *verifier = NULL;
    TR_TRY(tr_verifier_new(&verifier, replica, err));
    fill(plan->program, replica, plan->input, 0.0f, 1.0f);
    tr_status status = tr_verifier_run(verifier, TR_PREPARE, pass_on, context, err);
    if (status == TR_OK)
        status = tr_verifier_run(verifier, TR_FORWARD, pass_on, context, err);
    if (status == TR_OK && context->training) {
        fill(plan->program, replica, plan->diff_output, -0.1f, 0.1f);
        status = tr_verifier_run(verifier, TR_BACKWARD, pass_on, context, err);
        if (status == TR_OK)
            status = tr_verifier_run(verifier, TR_CONCLUDE, pass_on, context, err);
    }
    tr_verifier_free(verifier);
    return status;
}

static tr_status check_program(const tr_model *model, bool training,
                               const tr_self_check_listener *listener, tr_error *err)
{
    const tr_plan *plan = training ? &model->training : &model->inference;
    check_context context = {.listener = listener, .training = training};
    tr_replica *replica = NULL;
    float *gradients = tr_alloc(model->n_floats, sizeof *gradients);
    tr_status status = gradients == NULL
                           ? tr_out_of_memory(err, NULL)
                           : tr_replica_new(&replica, plan->program, model->params, err);
    if (status == TR_OK)
        status = tr_replica_set_gradients(replica, gradients);
    if (status == TR_OK)
        status = check_plan(plan, replica, &context, err);
    tr_replica_free(replica);
    tr_free(gradients);
    return status;
}

tr_status tr_self_check_run(const tr_model *model, const tr_self_check_listener *listener,
                            tr_error *err)
{
    TR_TRY(check_program(model, true, listener, err));
    return check_program(model, false, listener, err);
}
