/* fuzz_pickle.c -- any bytes as a Python pickle. */
#include <stdlib.h>

#include "fuzz.h"
#include "pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    tr_pickle pickle = {0};
    tr_error err = {0};
    const tr_status status = tr_pickle_read(&pickle, bytes, n, "a.pickle", &err);
    fuzz_expect(status, &err);
    const tr_pickle_value *data = status == TR_OK ? tr_pickle_find(pickle.root, "data") : NULL;
    tr_pickle_array array = {0};
    if (data != NULL && tr_pickle_as_array(&array, data) &&
        (array.bytes < (const char *)bytes ||
         array.bytes + array.dims[0] * array.dims[1] > (const char *)bytes + n))
        abort();
    tr_pickle_release(&pickle);
    return 0;
}
