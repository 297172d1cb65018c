/* fuzz_npy.c -- any bytes as the head of a .npy array. */
#include <stdlib.h>

#include "fuzz.h"
#include "npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    tr_npy npy = {0};
    tr_error err = {0};
    const tr_status status =
        tr_npy_parse(&npy, bytes, n < TR_NPY_HEADER_MAX ? n : TR_NPY_HEADER_MAX, "a.npy", &err);
    fuzz_expect(status, &err);
    if (status != TR_OK)
        return 0;
    const tr_array *array = &npy.array;
    if (npy.length > n || array->rank < 0 || array->rank > TR_H5_RANK || array->n < 1)
        abort();
    if (array->n <= (int64_t)(n - npy.length) / npy.stored_bytes) {
        void *values = malloc((size_t)array->n * tr_number_bytes(array->type));
        if (values != NULL)
            tr_npy_convert(values, &npy, bytes + npy.length);
        free(values);
    }
    return 0;
}
