/* table.c -- the table of an instruction set; compiled once for each. */
#include "set.h"
#include "vector.h"

const tr_kernels TR_OF_SET(tr_kernels) = {
    .name = TR_QUOTE(TR_SET),
    .width = VL,
    .winograd = &TR_OF_SET(tr_winograd),
    .direct = &TR_OF_SET(tr_direct),
    .split = &TR_OF_SET(tr_split),
    .depthwise = &TR_OF_SET(tr_depthwise),
    .inner = &TR_OF_SET(tr_inner),
    .max_pool = &TR_OF_SET(tr_max_pool),
    .function = &TR_OF_SET(tr_functions),
};
