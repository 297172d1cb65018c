/* test_merging.c -- merges and concatenations of every layout and both types of number, against
 * their plain definitions. Native operations need no CPU that knows bfloat16.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "kernel_check.h"
#include "net.h"
#include "pixels.h"

enum { N = 2, H = 5, W = 7 };

static tr_dnn *dnn;
static tr_program *program;
static tr_extents extents;

static void begin(void)
{
    tr_error err = {0};
    extents = (tr_extents){0};
    cr_assert_eq(tr_dnn_new(&dnn, &(tr_engine_config){.isa = TR_ISA_AUTO}, &err), TR_OK);
    cr_assert_eq(tr_program_new(&program, dnn, N, true, &extents, &err), TR_OK);
}

static void end(void)
{
    tr_program_free(program);
    tr_dnn_free(dnn);
}

static tr_value value_sized(tr_precision type, int64_t c, int64_t h, int64_t w,
                            dnnl_format_tag_t tag)
{
    tr_md_store store;
    const int64_t dims[4] = {N, c, h, w};
    const int n_dims = tag == dnnl_nc ? 2 : 4;
    cr_assert_eq(tr_md_init(&store, n_dims, dims, type == TR_BFLOAT16 ? dnnl_bf16 : dnnl_f32, tag),
                 dnnl_success);
    const tr_layout layout = tr_layout_intern(dnn, tr_md_of(&store));
    tr_md_release(&store);
    return tr_program_value(program, layout);
}

static tr_value value_of(tr_precision type, int64_t c, dnnl_format_tag_t tag)
{
    return value_sized(type, c, H, W, tag);
}

static tr_status expect_ok(void *context, size_t i, const tr_op_check *check, tr_error *err)
{
    (void)i, (void)err;
    cr_expect(check->ok, "%s: %s: error %g, %d dirty: %g at %d,%d,%d,%d instead of %g",
              (const char *)context, check->op.what, check->error, (int)check->n_dirty, check->got,
              (int)check->at[0], (int)check->at[1], (int)check->at[2], (int)check->at[3],
              check->expected);
    return TR_OK;
}

static void check(const char *what)
{
    tr_error err = {0};
    char name[64];
    snprintf(name, sizeof name, "%s", what);
    cr_assert_eq(tr_program_finish(program, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_kernels_check(program, expect_ok, name, &err), TR_OK, "%s: %s", what, err.text);
}

static const dnnl_format_tag_t tags[] = {dnnl_nhwc, dnnl_nchw, dnnl_nChw8c, dnnl_nChw16c, dnnl_nc};
enum { N_TAGS = sizeof tags / sizeof *tags };
static const tr_precision types[] = {TR_FLOAT32, TR_BFLOAT16};

static void plan_merges(const tr_value *srcs, int n, bool repeats)
{
    static const bool all[5] = {true, true, true, true, true}, last[5] = {[1] = true};
    tr_error err = {0};
    for (int how = TR_MERGE_SUM; how <= TR_MERGE_MAXIMUM; how++)
        for (int f = 0; f < 3; f++) {
            const tr_activation_name fused =
                (tr_activation_name[]){TR_LINEAR, TR_RELU, TR_HARD_TANH}[f];
            tr_value dst, diffs[5] = {-1, -1, -1, -1, -1};
            tr_program_begin(program, "merge", TR_FORWARD);
            cr_assert_eq(tr_merge_forward(program, (tr_merge)how, tr_activation_named(fused), srcs,
                                          n, &dst, &err),
                         TR_OK);
            if (!repeats)
                cr_assert_eq(tr_program_layout(program, dst), tr_program_layout(program, srcs[0]));
            tr_program_begin(program, "merge", TR_BACKWARD);
            cr_assert_eq(tr_merge_backward(program, (tr_merge)how, srcs, n, fused ? all : last, dst,
                                           diffs, &err),
                         TR_OK);
            for (int k = 0; k < n; k++)
                cr_assert_eq(diffs[k] != TR_NO_VALUE, fused || k == 1);
        }
}

Test(merging, of_every_layout)
{
    static const int64_t channels[] = {1, 7, 8, 19, 32};
    for (int t = 0; t < 2; t++)
        for (int tag = 0; tag < N_TAGS; tag++)
            for (int c = 0; c < 5; c++) {
                char what[64];
                begin();
                for (int n = 2; n <= 5; n += 1 + n / 3) {
                    tr_value srcs[5];
                    for (int k = 0; k < n; k++)
                        srcs[k] = value_of(types[t], channels[c], tags[tag]);
                    plan_merges(srcs, n, false);
                }
                snprintf(what, sizeof what, "%d channels, tag %d, type %d", (int)channels[c], tag,
                         t);
                check(what);
                end();
            }
}

/* Axes of 1 where another source has more, each and all of them. */
Test(merging, of_what_is_repeated)
{
    static const int64_t channels[] = {1, 7, 8, 19};
    for (int t = 0; t < 2; t++)
        for (int tag = 0; tag < N_TAGS; tag++)
            for (int c = 0; c < 4; c++)
                for (int axes = 0; axes < 8; axes++) {
                    const int64_t k = channels[c], h = axes & 1 ? 1 : H, w = axes & 2 ? 1 : W;
                    char what[64];
                    begin();
                    const tr_value srcs[] = {
                        value_sized(types[t], k, H, w, tags[tag]),
                        value_sized(types[t], axes & 4 ? 1 : k, h, W, tags[tag]),
                        value_sized(types[t], k, 1, 1, tags[tag]),
                    };
                    plan_merges(srcs, 3, true);
                    plan_merges(srcs + 1, 2, true);
                    snprintf(what, sizeof what, "%d channels, tag %d, type %d, axes %d", (int)k,
                             tag, t, axes);
                    check(what);
                    end();
                }
}

/* float32 is what such a sum is in, and the layout of its first source in it. */
Test(merging, of_both_types_and_several_layouts)
{
    tr_error err = {0};
    tr_value dst, diffs[3];
    begin();
    const tr_value srcs[] = {value_of(TR_BFLOAT16, 19, dnnl_nhwc),
                             value_of(TR_FLOAT32, 19, dnnl_nChw8c),
                             value_of(TR_FLOAT32, 19, dnnl_nhwc)};
    tr_program_begin(program, "merge", TR_FORWARD);
    cr_assert_eq(
        tr_merge_forward(program, TR_MERGE_SUM, tr_activation_named(TR_RELU), srcs, 3, &dst, &err),
        TR_OK);
    cr_expect_eq(tr_program_layout(program, dst), tr_program_layout(program, srcs[1]));
    tr_program_begin(program, "merge", TR_BACKWARD);
    cr_assert_eq(tr_merge_backward(program, TR_MERGE_PRODUCT, srcs, 3, (bool[]){true, true, true},
                                   srcs[0], diffs, &err),
                 TR_OK);
    check("mixed");
    end();
}

typedef struct parts {
    int n;
    int64_t channels[4];
    bool fill_blocks; /* of 8 */
} parts;

static const parts concatenations[] = {
    {2, {8, 16}, true}, {3, {16, 8, 5}, true},       {2, {7, 9}, false}, {3, {1, 1, 1}, false},
    {2, {5, 8}, false}, {4, {16, 3, 16, 16}, false}, {2, {32, 1}, true}, {4, {1, 2, 3, 4}, false},
};

static void concatenate(const parts *of, tr_precision type, dnnl_format_tag_t tag)
{
    tr_error err = {0};
    tr_value srcs[4], diffs[4], dst;
    char what[64];
    begin();
    for (int k = 0; k < of->n; k++)
        srcs[k] = value_of(type, of->channels[k], tag);
    tr_program_begin(program, "concatenate", TR_FORWARD);
    cr_assert_eq(tr_concatenate_forward(program, srcs, of->n, &dst, &err), TR_OK);
    tr_program_begin(program, "concatenate", TR_BACKWARD);
    cr_assert_eq(tr_concatenate_backward(program, srcs, of->n, (bool[]){true, true, true, true},
                                         dst, diffs, &err),
                 TR_OK);
    tr_pixels at;
    cr_assert(tr_pixels_of(tr_program_layout(program, dst), &at));
    if (tag == dnnl_nChw8c) /* without a copy where blocks are full */
        cr_expect_eq(at.run == 8 && at.step_run != 0, of->fill_blocks);
    snprintf(what, sizeof what, "%d, %d, ..., tag %d, type %d", (int)of->channels[0],
             (int)of->channels[1], (int)tag, (int)type);
    check(what);
    end();
}

Test(merging, concatenation_of_every_layout)
{
    for (size_t i = 0; i < sizeof concatenations / sizeof *concatenations; i++)
        for (int t = 0; t < 2; t++)
            for (int tag = 0; tag < N_TAGS; tag++)
                concatenate(&concatenations[i], types[t], tags[tag]);
}

/* A NaN stays one, whichever source it is in, and the gradient of a maximum goes where
 * TensorFlow's goes: to the first of equal ones, behind a NaN to the last. */
Test(merging, maxima_of_nan_and_of_equals)
{
    static const float x[4][3] = {{1, 1, 1}, {NAN, 1, 1}, {1, 2, 2}, {1, NAN, 3}};
    static const int winner[4] = {0, 2, 1, 2};
    tr_error err = {0};
    tr_replica *replica = NULL;
    tr_value srcs[3], dst, diffs[3];
    begin();
    for (int k = 0; k < 3; k++)
        srcs[k] = value_of(TR_FLOAT32, 4, dnnl_nc);
    const tr_value diff = value_of(TR_FLOAT32, 4, dnnl_nc);
    tr_program_begin(program, "m", TR_FORWARD);
    cr_assert_eq(tr_merge_forward(program, TR_MERGE_MAXIMUM, TR_NOTHING_FUSED, srcs, 3, &dst, &err),
                 TR_OK);
    tr_program_begin(program, "m", TR_BACKWARD);
    cr_assert_eq(tr_merge_backward(program, TR_MERGE_MAXIMUM, srcs, 3, (bool[]){true, true, true},
                                   diff, diffs, &err),
                 TR_OK);
    for (int k = 0; k < 3; k++) {
        tr_program_touch(program, srcs[k]);
        tr_program_touch(program, diffs[k]);
    }
    tr_program_touch(program, dst);
    cr_assert_eq(tr_program_finish(program, &err), TR_OK);
    cr_assert_eq(tr_replica_new(&replica, program, NULL, &err), TR_OK);
    for (int i = 0; i < 4 * N; i++) {
        for (int k = 0; k < 3; k++)
            ((float *)tr_replica_data(replica, srcs[k]))[i] = x[i % 4][k];
        ((float *)tr_replica_data(replica, diff))[i] = (float)(i + 1);
    }
    cr_assert_eq(tr_replica_run(replica, TR_FORWARD), TR_OK);
    const float *max = tr_replica_data(replica, dst);
    cr_expect(max[0] == 1.0f && isnan(max[1]) && max[2] == 2.0f && isnan(max[3]));
    cr_assert_eq(tr_replica_run(replica, TR_BACKWARD), TR_OK);
    for (int i = 0; i < 4 * N; i++)
        for (int k = 0; k < 3; k++)
            cr_expect_eq(((const float *)tr_replica_data(replica, diffs[k]))[i],
                         winner[i % 4] == k ? (float)(i + 1) : 0.0f, "%d of %d", i, k);
    tr_replica_free(replica);
    end();
}
