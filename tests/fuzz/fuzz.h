/* fuzz.h -- what the fuzz targets share: libFuzzer's entry, the input as a file, and the rule that
 * every outcome keeps to: done, or a mistake of the input, in words.
 *
 * Built with the preset `fuzz` (clang, libFuzzer, AddressSanitizer, UndefinedBehaviorSanitizer),
 * run by run.sh. Readers run inside the target, not in a child (in_process.c), so that a crash
 * there is found; but those of HDF5 and stb_image, which crash by themselves, stay in their child.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "trainer/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* The path of a file with these bytes, which lies in memory only; the same file for every call. */
const char *fuzz_file(const void *bytes, size_t n);

/* Aborts unless the status is TR_OK, or the input was refused (TR_ERR_CONFIG, TR_ERR_DATA) with a
 * text; memory may be out. */
void fuzz_expect(tr_status status, const tr_error *err);

#endif
