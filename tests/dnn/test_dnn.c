/* test_dnn.c -- layouts are interned and copied faithfully; the instruction set can be limited. */
#include <criterion/criterion.h>
#include <omp.h>
#include <string.h>

#include "dnn.h"
#include "kernels.h"
#include "net.h"
#include "rig.h"

static tr_dnn *make(tr_isa isa)
{
    tr_dnn *dnn = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_dnn_new(&dnn, &(tr_engine_config){.isa = isa}, &err), TR_OK, "%s", err.text);
    return dnn;
}

Test(dnn, equal_layouts_are_the_same_pointer)
{
    tr_dnn *dnn = make(TR_ISA_AUTO);
    cr_assert_eq(tr_layout_nhwc(dnn, 2, 3, 4, 5), tr_layout_nhwc(dnn, 2, 3, 4, 5));
    cr_assert_neq(tr_layout_nhwc(dnn, 2, 3, 4, 5), tr_layout_nhwc(dnn, 2, 3, 4, 6));
    cr_assert_eq(tr_layout_bytes(tr_layout_nhwc(dnn, 2, 3, 4, 5)), 2 * 3 * 4 * 5 * sizeof(float));
    int64_t dims[4];
    cr_assert_eq(tr_layout_dims(tr_layout_hwio(dnn, 3, 5, 7, 9), dims), 4);
    cr_assert(dims[0] == 9 && dims[1] == 7 && dims[2] == 3 && dims[3] == 5);
    tr_dnn_free(dnn);
}

/* hwio -> oihw, element by element. */
Test(dnn, copies_between_layouts)
{
    enum { H = 2, W = 3, I = 4, O = 5 };
    float hwio[H * W * I * O], oihw[H * W * I * O];
    tr_error err = {0};
    tr_dnn *dnn = make(TR_ISA_AUTO);
    test_fill(hwio, H * W * I * O, 1);
    /* nhwc of an (n, c, h, w) tensor with n = O, h = I, ... is only used for its strides here. */
    const tr_layout from = tr_layout_hwio(dnn, H, W, I, O), to = tr_layout_nhwc(dnn, O, H, W, I);
    cr_assert_eq(tr_layout_copy(from, hwio, to, oihw, &err), TR_OK, "%s", err.text);
    for (int o = 0; o < O; o++)
        for (int i = 0; i < I; i++)
            for (int h = 0; h < H; h++)
                for (int w = 0; w < W; w++)
                    cr_assert_eq(hwio[((h * W + w) * I + i) * O + o],
                                 oihw[((o * H + h) * W + w) * I + i]);
    tr_dnn_free(dnn);
}

Test(dnn, limits_openmp_while_it_lives)
{
    omp_set_num_threads(7);
    tr_dnn *dnn = make(TR_ISA_AUTO);
    cr_assert_eq(omp_get_max_threads(), 1);
    cr_assert_eq(tr_dnn_threads(dnn), 7);
    tr_dnn_free(dnn);
    cr_assert_eq(omp_get_max_threads(), 7);
}

Test(dnn, isa_is_limited_and_then_fixed)
{
    tr_error err = {0};
    if (!test_has_avx2())
        cr_skip_test("this CPU has no AVX2");
    tr_dnn *dnn = make(TR_ISA_AVX2), *second = NULL;
    cr_assert_str_eq(tr_dnn_isa_name(), "AVX2");
    if (tr_kernels_of(TR_SET_AVX512) != NULL) {
        cr_assert_eq(tr_dnn_new(&second, &(tr_engine_config){.isa = TR_ISA_AVX512}, &err),
                     TR_ERR_CONFIG);
        cr_assert_not_null(strstr(err.text, "already fixed to AVX2"), "%s", err.text);
    }
    cr_assert_eq(tr_dnn_new(&second, &(tr_engine_config){.isa = TR_ISA_AVX2}, &err), TR_OK);
    tr_dnn_free(second);
    tr_dnn_free(dnn);
}

Test(dnn, an_isa_that_the_cpu_lacks_is_refused)
{
    tr_error err = {0};
    tr_dnn *dnn = NULL;
    const tr_isa isa = test_has_avx2() ? TR_ISA_AVX512 : TR_ISA_AVX2;
    if (tr_kernels_of(TR_SET_AVX512) != NULL)
        cr_skip_test("this CPU has all of them");
    cr_assert_eq(tr_dnn_new(&dnn, &(tr_engine_config){.isa = isa}, &err), TR_ERR_CONFIG);
    cr_assert_null(dnn);
    cr_assert_not_null(strstr(err.text, "this CPU does not have it, in use is "), "%s", err.text);
    cr_assert_not_null(strstr(err.text, tr_dnn_isa_name()), "%s", err.text);
}

/* Computed without its instructions, bfloat16 would be slower than float32. */
Test(dnn, bfloat16_without_its_instructions_is_refused)
{
    tr_error err = {0};
    tr_dnn *dnn = NULL;
    const tr_engine_config config = {.isa = test_has_avx2() ? TR_ISA_AVX2 : TR_ISA_AUTO,
                                     .precision = TR_BFLOAT16};
    cr_assert_eq(tr_dnn_new(&dnn, &config, &err), TR_ERR_CONFIG);
    cr_assert_null(dnn);
    cr_assert_not_null(strstr(err.text, "[engine] precision = bfloat16"), "%s", err.text);
    cr_assert_not_null(strstr(err.text, "; use precision = float32"), "%s", err.text);
    cr_assert_not_null(strstr(err.text, tr_dnn_isa_name()), "%s", err.text);
}

Test(dnn, layouts_carry_their_type)
{
    tr_dnn *dnn = make(TR_ISA_AUTO);
    const int64_t dims[2] = {3, 5};
    const tr_layout wide = tr_layout_any(dnn, TR_FLOAT32, 2, dims);
    const tr_layout narrow = tr_layout_any(dnn, TR_BFLOAT16, 2, dims);
    cr_assert_neq(wide, narrow);
    cr_assert_eq(narrow, tr_layout_any(dnn, TR_BFLOAT16, 2, dims));
    cr_assert_eq(tr_layout_type(wide), TR_FLOAT32);
    cr_assert_eq(tr_layout_type(narrow), TR_BFLOAT16);
    cr_assert_eq(tr_layout_type(tr_layout_nc(dnn, 3, 5)), TR_FLOAT32);
    tr_dnn_free(dnn);
}
