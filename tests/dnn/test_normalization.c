/* test_normalization.c -- every operation of a normalization against its definition (verify.h), on
 * every layout that is walked, in float32 and, as none of them is oneDNN's, in bfloat16 on any CPU.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "descriptors.h"
#include "mem.h"
#include "net.h"
#include "program_internal.h"
#include "unpack.h"
#include "verify.h"

typedef struct subject {
    int64_t n, c, h, w;
    dnnl_format_tag_t tag;
} subject;

static const subject subjects[] = {
    {4, 7, 5, 3, dnnl_nhwc},      {4, 16, 9, 8, dnnl_nhwc},   {2, 3, 16, 17, dnnl_nhwc},
    {4, 10, 9, 7, dnnl_nChw8c},   {4, 16, 8, 8, dnnl_nChw8c}, {4, 17, 5, 9, dnnl_nChw16c},
    {2, 32, 13, 3, dnnl_nChw16c}, {4, 5, 12, 11, dnnl_nchw},  {4, 1, 20, 7, dnnl_nchw},
    {8, 19, 1, 1, dnnl_nChw8c},   {8, 3, 1, 1, dnnl_nhwc},    {36, 40, 0, 0, dnnl_nc},
    {36, 2, 0, 0, dnnl_nc},       {1, 6, 1, 1, dnnl_nhwc},
};

/* How it is measured. */
typedef enum way { WHOLE, PAIRS, GROUPS, CONSTANT, PIXELS, N_WAYS } way;

typedef struct rig {
    tr_dnn *dnn;
    tr_program *program;
    tr_replica *replica;
    tr_param params[4];
    tr_extents extents;
    tr_normalization with;
    tr_normalization_tape tape;
    tr_value src, dst, diff_dst, diff_src;
} rig;

static tr_layout layout_of(rig *at, const subject *s, bool bfloat16)
{
    tr_md_store store;
    const dnnl_dims_t dims = {s->n, s->c, s->h, s->w};
    cr_assert_eq(
        tr_md_init(&store, s->h == 0 ? 2 : 4, dims, bfloat16 ? dnnl_bf16 : dnnl_f32, s->tag),
        dnnl_success);
    const tr_layout layout = tr_layout_intern(at->dnn, tr_md_of(&store));
    tr_md_release(&store);
    return layout;
}

static void plan(rig *at, const subject *s, way how, tr_activation_name fused, bool bfloat16,
                 tr_error *err)
{
    static const char *const names[] = {"gamma", "beta", "moving_mean", "moving_variance"};
    for (int i = 0; i < 4; i++)
        at->params[i] = (tr_param){.layer = "here",
                                   .name = names[i],
                                   .n_dims = 1,
                                   .dims = {s->c},
                                   .range = i < 2 ? TR_TRAINED : TR_STATISTICS};
    at->with = (tr_normalization){.epsilon = 0.001,
                                  .momentum = 0.9,
                                  .gamma = &at->params[0],
                                  .beta = &at->params[1],
                                  .fused = tr_activation_named(fused),
                                  .samples = how == PAIRS && s->n > 1 ? 2
                                             : how == GROUPS          ? 1
                                                                      : 0,
                                  .channels = how == GROUPS && s->c % 2 == 0 ? s->c / 2 : 1};
    if (how != GROUPS && how != PIXELS) {
        at->with.mean = &at->params[2];
        at->with.variance = &at->params[3];
    }
    tr_program *program = at->program;
    tr_program_begin(program, "here", TR_FORWARD);
    at->src = tr_program_value(program, layout_of(at, s, bfloat16));
    cr_assert_eq(
        (how == CONSTANT ? tr_normalize_forward(program, &at->with, at->src, &at->dst, err)
         : how == PIXELS
             ? tr_pixel_normalize_forward(program, &at->with, at->src, &at->tape, &at->dst, err)
             : tr_measured_forward(program, &at->with, at->src, &at->tape, &at->dst, err)),
        TR_OK, "%s", err->text);
    tr_program_touch(program, at->dst);
    at->diff_dst = tr_program_value(program, layout_of(at, s, bfloat16));
    tr_program_begin(program, "here", TR_BACKWARD);
    cr_assert_eq((how == CONSTANT
                      ? tr_normalize_backward(program, &at->with, at->diff_dst, &at->diff_src, err)
                  : how == PIXELS ? tr_pixel_normalize_backward(program, &at->with, &at->tape,
                                                                at->diff_dst, &at->diff_src, err)
                                  : tr_measured_backward(program, &at->with, &at->tape,
                                                         at->diff_dst, &at->diff_src, err)),
                 TR_OK, "%s", err->text);
    tr_program_touch(program, at->diff_src);
    cr_assert_eq(tr_program_finish(program, err), TR_OK);
    for (int i = 2; i < 4; i++)
        at->params[i].offset += at->extents.n[TR_TRAINED];
}

static float next(void *state)
{
    unsigned *at = state;
    *at = *at * 1664525u + 1013904223u;
    return (float)(*at >> 8) * 0x1p-23f - 1.0f;
}

static void fill(rig *at, tr_value value, unsigned seed)
{
    tr_error err = {0};
    cr_assert_eq(tr_layout_fill(tr_program_layout(at->program, value),
                                tr_replica_data(at->replica, value), next, &seed, &err),
                 TR_OK);
}

static void report(void *context, const tr_op_check *check)
{
    int *n = context;
    (*n)++;
    cr_expect(check->ok, "%s, %s, %s: %.9g, expected %.9g: %g times what is allowed, %d dirty",
              check->op.what, tr_direction_name(check->op.direction), check->result, check->got,
              check->expected, check->error, (int)check->n_dirty);
}

static void check(const subject *s, way how, tr_activation_name fused, bool bfloat16,
                  int64_t n_samples)
{
    rig at = {0};
    tr_error err = {0};
    tr_verifier *verifier = NULL;
    const tr_draw draw = {.n = n_samples};
    int n_checks = 0;
    cr_assert_eq(tr_dnn_new(&at.dnn, &(tr_engine_config){.isa = TR_ISA_AUTO}, &err), TR_OK);
    cr_assert_eq(tr_program_new(&at.program, at.dnn, s->n, true, &at.extents, &err), TR_OK);
    plan(&at, s, how, fused, bfloat16, &err);
    const size_t n_trained = at.extents.n[TR_TRAINED];
    const size_t n_params = n_trained + at.extents.n[TR_STATISTICS];
    float *params = tr_alloc(n_params, sizeof *params);
    float *gradients = tr_alloc(n_trained, sizeof *gradients);
    test_fill(params, n_params, 5);
    for (size_t i = n_trained; i < n_params; i++)
        params[i] = fabsf(params[i]) + 0.1f; /* variances, for one */
    cr_assert_eq(tr_replica_new(&at.replica, at.program, params, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_replica_set_gradients(at.replica, gradients), TR_OK);
    cr_assert_eq(tr_verifier_new(&verifier, at.replica, &err), TR_OK);
    tr_replica_set_draw(at.replica, &draw);
    fill(&at, at.src, 1);
    cr_assert_eq(tr_verifier_run(verifier, TR_FORWARD, report, &n_checks, &err), TR_OK);
    fill(&at, at.diff_dst, 2);
    cr_assert_eq(tr_verifier_run(verifier, TR_BACKWARD, report, &n_checks, &err), TR_OK, "%s",
                 err.text);
    cr_assert_eq(tr_verifier_run(verifier, TR_CONCLUDE, report, &n_checks, &err), TR_OK);
    cr_assert_eq((size_t)n_checks, tr_program_n_ops(at.program));
    tr_verifier_free(verifier);
    tr_replica_free(at.replica);
    tr_program_free(at.program);
    tr_dnn_free(at.dnn);
    tr_free(params);
    tr_free(gradients);
}

/* Pixels are walked with their channels next to each other only; others want a reorder, oneDNN's.
 */
static bool is_walked(const subject *s, way how)
{
    return how != PIXELS || s->tag == dnnl_nhwc || s->tag == dnnl_nc;
}

static void check_all(way how, bool bfloat16)
{
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        const subject *s = &subjects[i];
        if (!is_walked(s, how))
            continue;
        check(s, how, TR_LINEAR, bfloat16, s->n);
        for (int f = 0; how != PIXELS && f < 3; f++)
            check(s, how, (tr_activation_name[]){TR_RELU, TR_RELU6, TR_HARD_TANH}[f], bfloat16,
                  s->n);
        check(s, how, TR_LINEAR, bfloat16, s->n == 1 ? 1 : s->n - 1);
        check(s, how, TR_LINEAR, bfloat16, 1);
    }
}

Test(normalization, in_float32)
{
    for (way how = 0; how < N_WAYS; how++)
        check_all(how, false);
}

Test(normalization, in_bfloat16)
{
    for (way how = 0; how < N_WAYS; how++)
        check_all(how, true);
}
