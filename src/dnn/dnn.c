/* dnn.c -- the engine and interned layouts; see dnn.h. */
#include "dnn.h"

#include <omp.h>
#include <stdio.h>

#include "instruction_set.h"
#include "mem.h"
#include "program_internal.h"

struct tr_layout_box {
    tr_md_store store;
    struct tr_layout_box *next;
};

struct tr_dnn {
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attr;
    struct tr_layout_box *layouts;
    int threads;
    tr_precision precision;
    tr_convolution convolution;
    tr_kernels_choice choice;
    const tr_kernels *own, *beside;
    tr_wrong_list *wrong;
};

/* ---- engine ---- */

dnnl_status_t tr_attr_new(dnnl_primitive_attr_t *attr)
{
    dnnl_status_t status = dnnl_primitive_attr_create(attr);
    if (status != dnnl_success)
        return status;
    status = dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user);
    if (status == dnnl_success)
        status = tr_attr_deterministic(*attr);
    if (status != dnnl_success) {
        dnnl_primitive_attr_destroy(*attr);
        *attr = NULL;
    }
    return status;
}

tr_status tr_dnn_new(tr_dnn **out, const tr_engine_config *config, tr_error *err)
{
    TR_TRY(tr_isa_limit(config, err));
    TR_TRY(tr_isa_check_precision(config, err));
    tr_dnn *dnn = tr_alloc(1, sizeof *dnn);
    if (dnn == NULL)
        return tr_out_of_memory(err, NULL);
    dnn->precision = (tr_precision)config->precision;
    dnn->convolution = (tr_convolution)config->convolution;
    dnn->choice = (tr_kernels_choice)config->kernels;
    dnn->threads = omp_get_max_threads();
    dnn->wrong = tr_alloc(1, sizeof *dnn->wrong);
    omp_set_num_threads(1);
    dnnl_status_t status =
        dnn->wrong == NULL ? dnnl_out_of_memory : dnnl_engine_create(&dnn->engine, dnnl_cpu, 0);
    if (status == dnnl_success)
        status = tr_attr_new(&dnn->attr);
    const tr_status own = tr_isa_own_kernels(&dnn->own, config, err);
    dnn->beside = dnn->own != NULL ? dnn->own : tr_isa_best_kernels(config);
    if (status != dnnl_success || own != TR_OK) {
        tr_dnn_free(dnn);
        return own != TR_OK ? own : tr_dnn_fail(err, status, "oneDNN", "engine");
    }
    *out = dnn;
    return TR_OK;
}

void tr_dnn_free(tr_dnn *dnn)
{
    if (dnn == NULL)
        return;
    for (struct tr_layout_box *box = dnn->layouts; box != NULL;) {
        struct tr_layout_box *next = box->next;
        tr_md_release(&box->store);
        tr_free(box);
        box = next;
    }
    if (dnn->attr != NULL)
        dnnl_primitive_attr_destroy(dnn->attr);
    if (dnn->engine != NULL)
        dnnl_engine_destroy(dnn->engine);
    omp_set_num_threads(dnn->threads);
    if (dnn->wrong != NULL)
        tr_free(dnn->wrong->items);
    tr_free(dnn->wrong);
    tr_free(dnn);
}

int tr_dnn_threads(const tr_dnn *dnn)
{
    return dnn->threads;
}

dnnl_engine_t tr_dnn_engine(const tr_dnn *dnn)
{
    return dnn->engine;
}

const_dnnl_primitive_attr_t tr_dnn_attr(const tr_dnn *dnn)
{
    return dnn->attr;
}

tr_precision tr_dnn_precision(const tr_dnn *dnn)
{
    return dnn->precision;
}

const tr_kernels *tr_dnn_own(const tr_dnn *dnn)
{
    return dnn->own;
}

const tr_kernels *tr_dnn_beside(const tr_dnn *dnn)
{
    return dnn->beside;
}

bool tr_dnn_is_portable(const tr_dnn *dnn)
{
    return dnn->choice == TR_KERNELS_PORTABLE;
}

tr_convolution tr_dnn_convolution(const tr_dnn *dnn)
{
    return dnn->convolution;
}

void tr_dnn_version(char *text, size_t n)
{
    const dnnl_version_t *version = dnnl_version();
    snprintf(text, n, "oneDNN %d.%d.%d", version->major, version->minor, version->patch);
}

void tr_dnn_arithmetic(const tr_dnn *dnn, char *text, size_t n)
{
    char version[64];
    tr_dnn_version(version, sizeof version);
    if (dnn->choice == TR_KERNELS_PORTABLE)
        snprintf(text, n, "portable kernels");
    else
        snprintf(text, n, "%s%s, %s", dnn->own == NULL ? "" : "own kernels and ", tr_dnn_isa_name(),
                 version);
}

tr_status tr_dnn_fail(tr_error *err, dnnl_status_t status, const char *layer, const char *what)
{
    static const char *const meanings[] = {
        "success",       "out of memory", "invalid arguments", "not implemented for these shapes",
        "iterator ends", "runtime error", "not required"};
    const size_t i = (size_t)status;
    const char *meaning = i < sizeof meanings / sizeof *meanings ? meanings[i] : "unknown status";
    return tr_fail(err, status == dnnl_unimplemented ? TR_ERR_CONFIG : TR_ERR_INTERNAL,
                   "%s: oneDNN refuses the %s: %s", layer, what, meaning);
}

tr_wrong_list *tr_dnn_wrong(const tr_dnn *dnn)
{
    return dnn->wrong;
}

/* ---- layouts ---- */

tr_md tr_layout_md(tr_layout layout)
{
    return tr_md_of(&layout->store);
}

tr_layout tr_layout_intern(tr_dnn *dnn, tr_md md)
{
    for (const struct tr_layout_box *box = dnn->layouts; box != NULL; box = box->next)
        if (dnnl_memory_desc_equal(tr_md_of(&box->store), md))
            return box;
    struct tr_layout_box *box = tr_alloc(1, sizeof *box);
    if (box == NULL)
        return NULL;
    if (tr_md_copy(&box->store, md) != dnnl_success) {
        tr_free(box);
        return NULL;
    }
    box->next = dnn->layouts;
    dnn->layouts = box;
    return box;
}

static tr_layout typed(tr_dnn *dnn, tr_precision type, int n_dims, const int64_t *dims,
                       dnnl_format_tag_t tag)
{
    tr_md_store store;
    if (tr_md_init(&store, n_dims, dims, type == TR_BFLOAT16 ? dnnl_bf16 : dnnl_f32, tag) !=
        dnnl_success)
        return NULL;
    tr_layout layout = tr_layout_intern(dnn, tr_md_of(&store));
    tr_md_release(&store);
    return layout;
}

static tr_layout by_tag(tr_dnn *dnn, int n_dims, const int64_t *dims, dnnl_format_tag_t tag)
{
    return typed(dnn, TR_FLOAT32, n_dims, dims, tag);
}

tr_layout tr_layout_any(tr_dnn *dnn, tr_precision type, int n_dims, const int64_t *dims)
{
    return typed(dnn, type, n_dims, dims, dnnl_format_tag_any);
}

tr_layout tr_layout_nhwc(tr_dnn *dnn, int64_t n, int64_t h, int64_t w, int64_t c)
{
    /* With one channel nhwc and nchw are the same bytes; oneDNN's first-layer kernels are looked
     * up by the latter's name. */
    return by_tag(dnn, 4, (int64_t[]){n, c, h, w}, c == 1 ? dnnl_nchw : dnnl_nhwc);
}

tr_layout tr_layout_channels_last(tr_dnn *dnn, tr_layout layout)
{
    int64_t dims[4];
    tr_layout_dims(layout, dims);
    return typed(dnn, tr_layout_type(layout), 4, dims, dims[1] == 1 ? dnnl_nchw : dnnl_nhwc);
}

tr_layout tr_layout_plain(tr_dnn *dnn, tr_layout layout)
{
    int64_t dims[4];
    if (tr_layout_dims(layout, dims) == 4)
        return tr_layout_channels_last(dnn, layout);
    return typed(dnn, tr_layout_type(layout), 2, dims, dnnl_nc);
}

tr_layout tr_layout_resized(tr_dnn *dnn, tr_layout layout, const int64_t dims[4])
{
    tr_blocking b;
    int64_t own[4];
    const int n_dims = tr_layout_dims(layout, own);
    const bool blocked = n_dims == 4 && tr_md_blocking(tr_layout_md(layout), &b) &&
                         b.n_inner == 1 && b.inner_dim[0] == 1;
    if (blocked && (b.inner_size[0] == 8 || b.inner_size[0] == 16))
        return typed(dnn, tr_layout_type(layout), 4, dims,
                     b.inner_size[0] == 8 ? dnnl_nChw8c : dnnl_nChw16c);
    return typed(dnn, tr_layout_type(layout), n_dims, dims,
                 n_dims == 2    ? dnnl_nc
                 : dims[1] == 1 ? dnnl_nchw
                                : dnnl_nhwc);
}

tr_layout tr_layout_with_channels(tr_dnn *dnn, tr_layout layout, int64_t c)
{
    int64_t dims[4];
    tr_layout_dims(layout, dims);
    dims[1] = c;
    return tr_layout_resized(dnn, layout, dims);
}

bool tr_layout_is_padded(tr_layout layout)
{
    tr_blocking blocking;
    if (!tr_md_blocking(tr_layout_md(layout), &blocking))
        return true; /* opaque: nobody knows */
    for (int i = 0; i < blocking.n_dims; i++)
        if (blocking.padded[i] != blocking.dims[i])
            return true;
    return false;
}

tr_layout tr_layout_nc(tr_dnn *dnn, int64_t n, int64_t c)
{
    return by_tag(dnn, 2, (int64_t[]){n, c}, dnnl_nc);
}

tr_layout tr_layout_hwio(tr_dnn *dnn, int64_t h, int64_t w, int64_t i, int64_t o)
{
    return by_tag(dnn, 4, (int64_t[]){o, i, h, w}, dnnl_hwio);
}

tr_layout tr_layout_hwigo(tr_dnn *dnn, int64_t g, int64_t h, int64_t w, int64_t i, int64_t o)
{
    return by_tag(dnn, 5, (int64_t[]){g, o, i, h, w}, dnnl_hwigo);
}

tr_layout tr_layout_io(tr_dnn *dnn, int64_t i, int64_t o)
{
    return by_tag(dnn, 2, (int64_t[]){o, i}, dnnl_io);
}

tr_layout tr_layout_x(tr_dnn *dnn, int64_t n)
{
    return by_tag(dnn, 1, &n, dnnl_x);
}

int tr_layout_dims(tr_layout layout, int64_t dims[4])
{
    dnnl_dims_t all;
    int n = tr_md_dims(tr_layout_md(layout), all);
    const bool grouped = n == 5; /* g o i h w */
    if (grouped) {
        all[1] *= all[0];
        n--;
    }
    for (int d = 0; d < n; d++)
        dims[d] = all[d + grouped];
    return n;
}

tr_precision tr_layout_type(tr_layout layout)
{
    return tr_md_type(tr_layout_md(layout)) == dnnl_bf16 ? TR_BFLOAT16 : TR_FLOAT32;
}

size_t tr_layout_bytes(tr_layout layout)
{
    return dnnl_memory_desc_get_size(tr_layout_md(layout));
}
