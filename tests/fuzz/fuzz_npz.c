/* fuzz_npz.c -- any bytes as an archive: a .npz of arrays, and the members of a `.keras`. */
#include "arrays.h"
#include "fuzz.h"
#include "mem.h"
#include "zip_file.h"

enum { MOST_BYTES = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    tr_arrays arrays = {0};
    tr_error err = {0};
    void *member = NULL;
    size_t n_member = 0;
    const char *path = fuzz_file(bytes, n);
    fuzz_expect(tr_arrays_read_npz(&arrays, path, NULL, &err), &err);
    tr_arrays_release(&arrays);
    if (tr_is_zip(path))
        fuzz_expect(tr_zip_read(&member, &n_member, path, "x_train.npy", MOST_BYTES, &err), &err);
    tr_free(member);
    return 0;
}
