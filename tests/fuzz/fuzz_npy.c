/* fuzz_npy.c -- any bytes as the head of a .npy array. */
#include <stdlib.h>

#include "fuzz.h"
#include "npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    tr_array array = {0};
    size_t length = 0;
    tr_error err = {0};
    const tr_status status = tr_npy_parse(
        &array, &length, bytes, n < TR_NPY_HEADER_MAX ? n : TR_NPY_HEADER_MAX, "a.npy", &err);
    fuzz_expect(status, &err);
    if (status == TR_OK && (length > n || array.rank < 0 || array.rank > TR_H5_RANK || array.n < 1))
        abort();
    return 0;
}
