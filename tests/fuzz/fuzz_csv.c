/* fuzz_csv.c -- any bytes as a table of samples, as vectors or as images. */
#include <stdio.h>

#include "fuzz.h"
#include "h5_twist.h"
#include "trainer/convert.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const int64_t shape[] = {2, 2};
    char out[256];
    const char *path = fuzz_file(bytes, n);
    snprintf(out, sizeof out, "%s/out.h5", fuzz_folder());
    tr_error err = {0};
    fuzz_expect(tr_convert_csv(path, NULL, NULL, 0, out, &err), &err);
    fuzz_expect(tr_convert_csv(path, path, shape, 2, out, &err), &err);
    return 0;
}
