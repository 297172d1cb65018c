/* fuzz.c -- see fuzz.h. */
#include "fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const char *fuzz_file(const void *bytes, size_t n)
{
    static char path[64];
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (fd < 0 || ftruncate(fd, 0) != 0 || (n > 0 && pwrite(fd, bytes, n, 0) != (ssize_t)n))
        abort();
    return path;
}

void fuzz_expect(tr_status status, const tr_error *err)
{
    if (status == TR_OK)
        return;
    const bool refused = status == TR_ERR_CONFIG || status == TR_ERR_DATA;
    const bool no_memory = status == TR_ERR_INTERNAL && strstr(err->text, "memory") != NULL;
    if ((refused || no_memory) && err->text[0] != '\0')
        return;
    fprintf(stderr, "status %d: %s\n", (int)status, err->text);
    abort();
}
