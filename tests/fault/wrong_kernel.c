/* wrong_kernel.c -- kernels of oneDNN made wrong: this dnnl_primitive_execute() stands before the
 * real one, in a program that links it (wrong_kernel.h) or preloads it.
 *
 * Preloaded, TR_WRONG_KERNEL says which: "convolution backward_weights jit:avx2", the names that
 * oneDNN itself uses; "*" is any. One element in the middle of every result becomes one larger.
 */
#include "wrong_kernel.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static test_hook *before, *after;
static void *hook_context;

void test_around_each_primitive(test_hook *before_, test_hook *after_, void *context)
{
    before = before_;
    after = after_;
    hook_context = context;
}

/* ---- by name ---- */

static char wanted[3][64]; /* primitive, propagation, implementation */

static const char *kind_name(const_dnnl_primitive_desc_t desc)
{
    dnnl_primitive_kind_t kind = dnnl_undefined_primitive;
    dnnl_primitive_desc_query(desc, dnnl_query_primitive_kind, 0, &kind);
    switch ((int)kind) {
    case dnnl_reorder:
        return "reorder";
    case dnnl_convolution:
        return "convolution";
    case dnnl_inner_product:
        return "inner_product";
    case dnnl_pooling:
        return "pooling";
    case dnnl_eltwise:
        return "eltwise";
    default:
        return "other";
    }
}

static const char *prop_name(const_dnnl_primitive_desc_t desc)
{
    dnnl_prop_kind_t prop = dnnl_prop_kind_undef;
    if (dnnl_primitive_desc_query(desc, dnnl_query_prop_kind, 0, &prop) != dnnl_success)
        return "none";
    switch ((int)prop) {
    case dnnl_forward_training:
        return "forward_training";
    case dnnl_forward_inference:
        return "forward_inference";
    case dnnl_backward_data:
        return "backward_data";
    case dnnl_backward_weights:
        return "backward_weights";
    default:
        return "backward";
    }
}

static bool is_wanted(const char *name, const char *what)
{
    return strcmp(what, "*") == 0 || strcmp(what, name) == 0;
}

static void enlarge_middle(const dnnl_exec_arg_t *arg)
{
    void *data = NULL;
    const int roles[] = {DNNL_ARG_DST, DNNL_ARG_DIFF_SRC, DNNL_ARG_DIFF_WEIGHTS};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (arg->arg == roles[i] && dnnl_memory_get_data_handle(arg->memory, &data) == dnnl_success)
            ((float *)data)[test_memory_bytes(arg->memory) / sizeof(float) / 2] += 1.0f;
}

/* Of a forward operation the result is dst; a backward one reads a dst, if any. */
static void break_by_name(void *context, dnnl_primitive_t primitive, int n_args,
                          const dnnl_exec_arg_t *args)
{
    const_dnnl_primitive_desc_t desc;
    const char *impl = "";
    (void)context;
    if (dnnl_primitive_get_primitive_desc(primitive, &desc) != dnnl_success ||
        dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &impl) != dnnl_success ||
        !is_wanted(kind_name(desc), wanted[0]) || !is_wanted(prop_name(desc), wanted[1]) ||
        !is_wanted(impl, wanted[2]))
        return;
    const bool forward = strncmp(prop_name(desc), "backward", 8) != 0;
    for (int i = 0; i < n_args; i++)
        if ((args[i].arg == DNNL_ARG_DST) == forward)
            enlarge_middle(&args[i]);
}

void test_break_kernels(const char *which)
{
    memset(wanted, 0, sizeof wanted);
    const bool any =
        which != NULL && sscanf(which, "%63s %63s %63s", wanted[0], wanted[1], wanted[2]) == 3;
    test_around_each_primitive(NULL, any ? break_by_name : NULL, NULL);
}

__attribute__((constructor)) static void read_environment(void)
{
    test_break_kernels(getenv("TR_WRONG_KERNEL"));
}

/* ---- in between ---- */

size_t test_memory_bytes(const_dnnl_memory_t memory)
{
#if DNNL_VERSION_MAJOR >= 3
    const_dnnl_memory_desc_t md;
#else
    const dnnl_memory_desc_t *md;
#endif
    return dnnl_memory_get_memory_desc(memory, &md) == dnnl_success ? dnnl_memory_desc_get_size(md)
                                                                    : 0;
}

dnnl_status_t dnnl_primitive_execute(const_dnnl_primitive_t primitive, dnnl_stream_t stream,
                                     int n_args, const dnnl_exec_arg_t *args)
{
    typedef dnnl_status_t execute(const_dnnl_primitive_t, dnnl_stream_t, int,
                                  const dnnl_exec_arg_t *);
    static execute *real; /* the same for every thread that may be the first */
    if (real == NULL) {
        void *symbol = dlsym(RTLD_NEXT, "dnnl_primitive_execute");
        memcpy(&real, &symbol, sizeof real);
    }
    const dnnl_primitive_t mutable = (dnnl_primitive_t)(uintptr_t)primitive;
    if (before != NULL)
        before(hook_context, mutable, n_args, args);
    const dnnl_status_t status = real(primitive, stream, n_args, args);
    if (status == dnnl_success && after != NULL)
        after(hook_context, mutable, n_args, args);
    return status;
}
