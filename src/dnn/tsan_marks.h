/* tsan_marks.h -- tells ThreadSanitizer what oneDNN's kernels touch.
 *
 * They are not instrumented, so without this a missing barrier between a gradient's kernel and its
 * sum would go unseen (tests/race/race_step.c). Nothing in any other build.
 */
#ifndef TR_TSAN_MARKS_H
#define TR_TSAN_MARKS_H

#include <oneapi/dnnl/dnnl.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TR_UNDER_TSAN 1
#endif
#endif

#ifdef TR_UNDER_TSAN
#include "descriptors.h"

void __tsan_read_range(void *address, unsigned long bytes); /* of compiler-rt's runtime */
void __tsan_write_range(void *address, unsigned long bytes);

static inline void tr_tsan_mark(const dnnl_exec_arg_t *args, int n)
{
    for (int i = 0; i < n; i++) {
        void *data = NULL;
        tr_md md = NULL;
        if (dnnl_memory_get_data_handle(args[i].memory, &data) != dnnl_success ||
            dnnl_memory_get_memory_desc(args[i].memory, &md) != dnnl_success)
            continue;
        const int role = args[i].arg;
        if (role == DNNL_ARG_DST || role == DNNL_ARG_DIFF_SRC || role == DNNL_ARG_DIFF_WEIGHTS ||
            role == DNNL_ARG_DIFF_BIAS || role == DNNL_ARG_SCRATCHPAD)
            __tsan_write_range(data, dnnl_memory_desc_get_size(md));
        else
            __tsan_read_range(data, dnnl_memory_desc_get_size(md));
    }
}
#else
static inline void tr_tsan_mark(const dnnl_exec_arg_t *args, int n)
{
    (void)args, (void)n;
}
#endif

#endif
