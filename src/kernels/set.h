/* set.h -- one source, several instruction sets: what is visible outside of a kernel's file bears
 * the name of the set it was compiled for. CMake gives TR_SET, the name, and TR_FOR_..., for
 * vector.h.
 */
#ifndef TR_SET_H
#define TR_SET_H

#define TR_PASTE_(a, b) a##_##b
#define TR_PASTE(a, b) TR_PASTE_(a, b)
#define TR_OF_SET(name) TR_PASTE(name, TR_SET)
#define TR_QUOTE_(a) #a
#define TR_QUOTE(a) TR_QUOTE_(a)

#include "kernels.h"

/* The parts of the table, one or more from each source. */
extern const tr_conv_kernels TR_OF_SET(tr_direct);
extern const tr_conv_kernels TR_OF_SET(tr_winograd);
extern const tr_conv_kernels TR_OF_SET(tr_split);
extern const tr_conv_kernels TR_OF_SET(tr_depthwise);
extern const tr_inner_kernels TR_OF_SET(tr_inner);
extern const tr_max_pool_kernels TR_OF_SET(tr_max_pool);
extern const tr_function_kernels TR_OF_SET(tr_functions);
extern const tr_kernels TR_OF_SET(tr_kernels);

#endif
