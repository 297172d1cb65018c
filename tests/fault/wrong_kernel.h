/* wrong_kernel.h -- see wrong_kernel.c; for tests that break kernels in their own process. */
#ifndef TR_TEST_WRONG_KERNEL_H
#define TR_TEST_WRONG_KERNEL_H

#include <oneapi/dnnl/dnnl.h>
#include <stddef.h>

/* As TR_WRONG_KERNEL; NULL: all are as they are. */
void test_break_kernels(const char *which);

/* Called before or behind each primitive that is run; NULL: nothing. */
typedef void test_hook(void *context, dnnl_primitive_t primitive, int n_args,
                       const dnnl_exec_arg_t *args);
void test_around_each_primitive(test_hook *before, test_hook *after, void *context);

size_t test_memory_bytes(const_dnnl_memory_t memory);

#endif
