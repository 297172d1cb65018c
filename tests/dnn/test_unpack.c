/* test_unpack.c -- reading blocked layouts by definition agrees with oneDNN's reorder. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "program_internal.h"
#include "unpack.h"

static tr_dnn *make(void)
{
    tr_dnn *dnn = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_dnn_new(&dnn, &(tr_engine_config){.isa = TR_ISA_AUTO}, &err), TR_OK);
    return dnn;
}

static tr_layout by_tag(tr_dnn *dnn, int n_dims, const int64_t *dims, dnnl_data_type_t type,
                        dnnl_format_tag_t tag)
{
    tr_md_store store;
    cr_assert_eq(tr_md_init(&store, n_dims, dims, type, tag), dnnl_success);
    tr_layout layout = tr_layout_intern(dnn, tr_md_of(&store));
    tr_md_release(&store);
    return layout;
}

/* oneDNN's own copy, which is what is not trusted elsewhere. */
static void reorder(tr_dnn *dnn, tr_layout from, float *src, tr_layout to, float *dst)
{
    const dnnl_engine_t engine = tr_dnn_engine(dnn);
    dnnl_primitive_desc_t desc;
    dnnl_primitive_t primitive;
    dnnl_stream_t stream;
    dnnl_memory_t a, b;
    cr_assert_eq(dnnl_reorder_primitive_desc_create(&desc, tr_layout_md(from), engine,
                                                    tr_layout_md(to), engine, NULL),
                 dnnl_success);
    cr_assert_eq(dnnl_primitive_create(&primitive, desc), dnnl_success);
    cr_assert_eq(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), dnnl_success);
    cr_assert_eq(dnnl_memory_create(&a, tr_layout_md(from), engine, src), dnnl_success);
    cr_assert_eq(dnnl_memory_create(&b, tr_layout_md(to), engine, dst), dnnl_success);
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, a}, {DNNL_ARG_TO, b}};
    cr_assert_eq(dnnl_primitive_execute(primitive, stream, 2, args), dnnl_success);
    cr_assert_eq(dnnl_stream_wait(stream), dnnl_success);
    dnnl_memory_destroy(a);
    dnnl_memory_destroy(b);
    dnnl_stream_destroy(stream);
    dnnl_primitive_destroy(primitive);
    dnnl_primitive_desc_destroy(desc);
}

/* Plain numbers, brought by oneDNN into `tag` and back here; and brought there here. */
static void there_and_back(int n_dims, const int64_t *dims, dnnl_format_tag_t plain,
                           dnnl_format_tag_t tag, bool padded)
{
    tr_dnn *dnn = make();
    tr_error err = {0};
    const tr_layout from = by_tag(dnn, n_dims, dims, dnnl_f32, plain);
    const tr_layout to = by_tag(dnn, n_dims, dims, dnnl_f32, tag);
    const size_t n = (size_t)tr_layout_elements(from);
    float *values = tr_alloc(n, sizeof *values), *memory = tr_alloc(tr_layout_bytes(to), 1);
    float *copy = tr_alloc(tr_layout_bytes(to), 1);
    double *unpacked = tr_alloc(n, sizeof *unpacked);
    int64_t n_dirty = -1;
    test_fill(values, n, 7);
    cr_assert_eq(tr_layout_bytes(to) > n * sizeof *values, padded);
    reorder(dnn, from, values, to, memory);
    memset(copy, 0xff, tr_layout_bytes(to));
    cr_assert_eq(tr_layout_copy(from, values, to, copy, &err), TR_OK, "%s", err.text);
    cr_assert_eq(memcmp(copy, memory, tr_layout_bytes(to)), 0);
    cr_assert_eq(tr_layout_unpack(to, memory, unpacked, &n_dirty, &err), TR_OK, "%s", err.text);
    cr_assert_eq(n_dirty, 0);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(unpacked[i], (double)values[i], "tag %d, element %zu", (int)tag, i);
    tr_free(values);
    tr_free(memory);
    tr_free(copy);
    tr_free(unpacked);
    tr_dnn_free(dnn);
}

Test(unpack, agrees_with_reorder)
{
    there_and_back(4, (int64_t[]){2, 10, 3, 4}, dnnl_nchw, dnnl_nhwc, false);
    there_and_back(4, (int64_t[]){2, 10, 3, 4}, dnnl_nchw, dnnl_nChw16c, true);
    there_and_back(4, (int64_t[]){1, 17, 5, 2}, dnnl_nchw, dnnl_nChw8c, true);
    char version[64];
    tr_dnn_version(version, sizeof version);
    /* 3.7.1 and 3.7.2 get these wrong. */
    if (strncmp(version, "oneDNN 3.7.", strlen("oneDNN 3.7.")) != 0) {
        there_and_back(4, (int64_t[]){17, 3, 2, 5}, dnnl_oihw, dnnl_OIhw16i16o, true);
        there_and_back(4, (int64_t[]){17, 33, 1, 3}, dnnl_oihw, dnnl_OIhw8i16o2i, true);
    }
    there_and_back(4, (int64_t[]){16, 3, 3, 3}, dnnl_oihw, dnnl_Ohwi16o, false);
    there_and_back(2, (int64_t[]){5, 7}, dnnl_oi, dnnl_io, false);
    there_and_back(1, (int64_t[]){9}, dnnl_x, dnnl_x, false);
}

Test(unpack, counts_what_is_dirty)
{
    tr_dnn *dnn = make();
    float memory[2 * 16] = {0};
    double values[2 * 10];
    int64_t n_dirty;
    tr_error err = {0};
    const tr_layout layout =
        by_tag(dnn, 4, (int64_t[]){1, 10, 1, 2}, dnnl_f32, dnnl_nChw16c); /* [w][16c] */
    memory[9] = 1.0f;                                                     /* the last channel */
    memory[10] = 2.0f;                                                    /* the first padding */
    memory[16 + 15] = 3.0f;                                               /* the last one */
    cr_assert_eq(tr_layout_unpack(layout, memory, values, &n_dirty, &err), TR_OK);
    cr_assert_eq(n_dirty, 2);
    cr_assert_eq(values[9 * 2], 1.0);
    tr_dnn_free(dnn);
}

Test(unpack, refuses_what_it_cannot_read)
{
    tr_dnn *dnn = make();
    double value;
    int64_t n_dirty;
    tr_error err = {0};
    const tr_layout any = tr_layout_any(dnn, TR_FLOAT32, 1, (int64_t[]){1});
    cr_assert_eq(tr_layout_unpack(any, &value, &value, &n_dirty, &err), TR_ERR_INTERNAL);
    cr_assert_str_eq(err.text, "a layout is opaque and cannot be read");
    cr_assert_eq(tr_layout_copy(any, NULL, any, NULL, &err), TR_ERR_INTERNAL);
    tr_dnn_free(dnn);
}

Test(unpack, rounds_bfloat16_to_nearest_even)
{
    cr_assert_eq(tr_bfloat16_of(1.0), 1.0);
    cr_assert_eq(tr_bfloat16_of(1.0 + 0x1p-8), 1.0); /* halfway, to even */
    cr_assert_eq(tr_bfloat16_of(1.0 + 0x3p-8), 1.0 + 0x1p-6);
    cr_assert_eq(tr_bfloat16_of(1.0 + 0x1.8p-8), 1.0 + 0x1p-7);
    cr_assert_eq(tr_bfloat16_of(-3.0e-5), -0x1.f8p-16);
}

Test(unpack, reads_bfloat16)
{
    tr_dnn *dnn = make();
    const uint16_t memory[3] = {0x3f80, 0xc040, 0x0000};
    double values[3];
    int64_t n_dirty;
    tr_error err = {0};
    const tr_layout layout = by_tag(dnn, 1, (int64_t[]){3}, dnnl_bf16, dnnl_x);
    cr_assert_eq(tr_layout_unpack(layout, memory, values, &n_dirty, &err), TR_OK);
    cr_assert(values[0] == 1.0 && values[1] == -3.0 && values[2] == 0.0);
    tr_dnn_free(dnn);
}

static float count_up(void *state)
{
    return (float)++*(int *)state;
}

/* By hand, from the whole tensor. */
static void sums_over(int dim, dnnl_format_tag_t tag)
{
    enum { O = 10, I = 3, H = 2, W = 5, N = O * I * H * W };
    static const int64_t dims[4] = {O, I, H, W};
    static float memory[16 * 16 * H * W];
    double whole[N], scaled[N], sums[N], sizes[N], factors[O];
    int64_t n_dirty;
    int state = 0;
    tr_dnn *dnn = make();
    tr_error err = {0};
    const tr_layout layout = by_tag(dnn, 4, dims, dnnl_f32, tag);
    for (int k = 0; k < O; k++)
        factors[k] = k % 2 ? -k - 1.0 : k + 1.0;
    cr_assert_leq(tr_layout_bytes(layout), sizeof memory);
    cr_assert_eq(tr_layout_fill(layout, memory, count_up, &state, &err), TR_OK);
    cr_assert_eq(tr_layout_unpack(layout, memory, whole, &n_dirty, &err), TR_OK);
    cr_assert_eq(n_dirty, 0); /* the padding was filled, too, and cleared */
    cr_assert_eq(
        tr_layout_contract(layout, memory, dim, dims[dim], factors, sums, sizes, &n_dirty, &err),
        TR_OK);
    int64_t inner = 1;
    for (int d = dim + 1; d < 4; d++)
        inner *= dims[d];
    for (int64_t i = 0; i < N / dims[dim]; i++) {
        double sum = 0.0, size = 0.0;
        for (int64_t k = 0; k < dims[dim]; k++) {
            const double term = factors[k] * whole[(i / inner * dims[dim] + k) * inner + i % inner];
            sum += term;
            size += fabs(term);
        }
        cr_assert(sums[i] == sum && sizes[i] == size, "dim %d, %d", dim, (int)i);
    }
    cr_assert_eq(tr_layout_scale(layout, memory, dim, factors, &err), TR_OK);
    cr_assert_eq(tr_layout_unpack(layout, memory, scaled, &n_dirty, &err), TR_OK);
    for (int64_t i = 0; i < N; i++)
        cr_assert_eq(scaled[i], whole[i] * factors[i / inner % dims[dim]]);
    tr_dnn_free(dnn);
}

Test(unpack, sums_over_a_dimension)
{
    for (int dim = 0; dim < 4; dim++) {
        sums_over(dim, dnnl_oihw);
        sums_over(dim, dnnl_hwio);
        sums_over(dim, dnnl_OIhw16i16o);
    }
}
