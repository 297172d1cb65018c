/* test_dropping.c -- one mask in every layout: rounding, padding and order of memory do not show.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "program_internal.h"
#include "rig.h"
#include "verify.h"

enum { N = 3, C = 21, H = 5, W = 6, ALL = N * C * H * W };

static void expect_right(void *context, const tr_op_check *check)
{
    (void)context;
    cr_assert(check->ok, "%s: %.9g, expected %.9g; %d padding elements", check->result, check->got,
              check->expected, (int)check->n_dirty);
    if (strcmp(check->op.what, "reorder") == 0)
        return; /* what is dropped to another number than 0 leaves padding behind */
    cr_assert_str_eq(check->op.impl, "native");
    cr_assert_str_eq(check->op.what, "dropout");
}

/* Ones through a dropout that gets them in that layout, both directions; the results in nhwc. */
static void run_how(tr_drop how, dnnl_format_tag_t tag, dnnl_data_type_t type, float *dst,
                    float *diff_src)
{
    static float plain[ALL];
    tr_dnn *dnn = NULL;
    tr_program *program = NULL;
    tr_replica *replica = NULL;
    tr_verifier *verifier = NULL;
    tr_md_store md;
    tr_value src, out, mask, diff, diff_out;
    tr_error err = {0};
    tr_extents extents = {0};
    float none[1] = {0};
    cr_assert_eq(tr_dnn_new(&dnn, &(tr_engine_config){.isa = TR_ISA_AUTO}, &err), TR_OK);
    cr_assert_eq(tr_program_new(&program, dnn, N, true, &extents, &err), TR_OK);
    cr_assert_eq(tr_md_init(&md, 4, (dnnl_dims_t){N, C, H, W}, type, tag), dnnl_success);
    const tr_layout layout = tr_layout_intern(dnn, tr_md_of(&md));
    const tr_layout nhwc = tr_layout_nhwc(dnn, N, H, W, C);
    const tr_dropping dropping = tr_dropping_of(how, 0.4, 3);
    tr_program_begin(program, "here", TR_FORWARD);
    src = tr_program_value(program, layout);
    cr_assert_eq(tr_drop_forward(program, &dropping, src, &out, &mask, &err), TR_OK);
    tr_program_begin(program, "here", TR_BACKWARD);
    diff = tr_program_value(program, layout);
    cr_assert_eq(tr_drop_backward(program, &dropping, out, mask, diff, &diff_out, &err), TR_OK);
    tr_program_touch(program, out);
    tr_program_touch(program, src);
    tr_program_touch(program, diff_out);
    cr_assert_eq(tr_program_finish(program, &err), TR_OK);
    cr_assert_eq(tr_replica_new(&replica, program, none, &err), TR_OK);
    cr_assert_eq(tr_verifier_new(&verifier, replica, &err), TR_OK);
    for (int i = 0; i < ALL; i++)
        plain[i] = (float)(i % 97 - 40) / 8.0f;
    cr_assert_eq(tr_layout_copy(nhwc, plain, layout, tr_replica_data(replica, src), &err), TR_OK);
    cr_assert_eq(tr_verifier_run(verifier, TR_FORWARD, expect_right, NULL, &err), TR_OK);
    cr_assert_eq(tr_layout_copy(tr_program_layout(program, out), tr_replica_data(replica, out),
                                nhwc, dst, &err),
                 TR_OK);
    cr_assert_eq(tr_layout_copy(nhwc, plain, layout, tr_replica_data(replica, diff), &err), TR_OK);
    cr_assert_eq(tr_verifier_run(verifier, TR_BACKWARD, expect_right, NULL, &err), TR_OK);
    cr_assert_eq(tr_layout_copy(tr_program_layout(program, diff_out),
                                tr_replica_data(replica, diff_out), nhwc, diff_src, &err),
                 TR_OK);
    tr_verifier_free(verifier);
    tr_replica_free(replica);
    tr_program_free(program);
    tr_md_release(&md);
    tr_dnn_free(dnn);
}

static void run(dnnl_format_tag_t tag, dnnl_data_type_t type, float *dst, float *diff_src)
{
    run_how(TR_DROP_ELEMENTS, tag, type, dst, diff_src);
}

Test(dropping, every_kind_is_the_same_in_every_layout)
{
    static const dnnl_format_tag_t tags[] = {dnnl_nchw, dnnl_nChw8c, dnnl_nChw16c};
    static float expected[ALL], expected_diff[ALL], dst[ALL], diff_src[ALL];
    for (tr_drop how = TR_DROP_CHANNELS; how <= TR_NOISE_MULTIPLIED; how++) {
        run_how(how, dnnl_nhwc, dnnl_f32, expected, expected_diff);
        for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
            run_how(how, tags[i], dnnl_f32, dst, diff_src);
            cr_assert_eq(memcmp(expected, dst, sizeof dst), 0, "%d, layout %d", how, (int)tags[i]);
            cr_assert_eq(memcmp(expected_diff, diff_src, sizeof dst), 0, "%d, layout %d", how,
                         (int)tags[i]);
        }
    }
}

Test(dropping, every_layout_gets_the_same_mask)
{
    static const dnnl_format_tag_t tags[] = {dnnl_nchw, dnnl_nChw8c, dnnl_nChw16c};
    static float expected[ALL], dst[ALL], diff_src[ALL];
    run(dnnl_nhwc, dnnl_f32, expected, diff_src);
    cr_assert_eq(memcmp(expected, diff_src, sizeof dst), 0);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        run(tags[i], dnnl_f32, dst, diff_src);
        cr_assert_eq(memcmp(expected, dst, sizeof dst), 0, "layout %d", (int)tags[i]);
        cr_assert_eq(memcmp(expected, diff_src, sizeof dst), 0, "layout %d", (int)tags[i]);
    }
}

Test(dropping, bfloat16_is_rounded_once)
{
    static float expected[ALL], dst[ALL], diff_src[ALL];
    if (!test_has_bfloat16())
        cr_skip_test("this CPU has no bfloat16 instructions, or they are forbidden");
    run(dnnl_nhwc, dnnl_f32, expected, diff_src);
    run(dnnl_nChw16c, dnnl_bf16, dst, diff_src); /* the verifier knows the exact rounding */
    for (int i = 0; i < ALL; i++)
        cr_assert(fabsf(dst[i] - expected[i]) <= 0x1p-8f * fabsf(expected[i]));
}
