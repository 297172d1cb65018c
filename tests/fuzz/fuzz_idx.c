/* fuzz_idx.c -- any bytes as a file of IDX, plain or gzipped, of images or of labels. */
#include "fuzz.h"
#include "idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *path = fuzz_file(bytes, n);
    for (int rank = 1; rank <= TR_IDX_RANK; rank += 2) {
        tr_idx idx = {0};
        tr_error err = {0};
        fuzz_expect(tr_idx_read(&idx, path, rank, &err), &err);
        tr_idx_release(&idx);
    }
    return 0;
}
