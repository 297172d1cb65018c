/* fuzz_ini.c -- libFuzzer entry: any bytes as a configuration file.
 *
 * Besides not crashing: a configuration without problems must read back the same from its
 * effective text, with nothing left to defaults. Linux: the file lives in memory only.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ini_file.h"
#include "mem.h"
#include "trainer/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* NULL: the load itself failed (larger than is allowed). */
static tr_config *load(const void *bytes, size_t n)
{
    tr_config *config = NULL;
    tr_error err;
    char path[64];
    const int fd = memfd_create("fuzz_ini", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    tr_config_load(&config, path, NULL, 0, &err);
    close(fd);
    return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    tr_error err;
    tr_config *config = load(bytes, n);
    if (config == NULL)
        return 0;
    if (tr_config_check(config, &err) == TR_OK) {
        char *text = tr_ini_text(config->ini, NULL);
        tr_config *again = load(text, strlen(text));
        if (again == NULL || tr_config_check(again, &err) != TR_OK)
            abort();
        char *text_again = tr_ini_text(again->ini, NULL);
        if (strcmp(text, text_again) != 0)
            abort();
        tr_free(text_again);
        tr_config_free(again);
        tr_free(text);
    }
    tr_config_free(config);
    return 0;
}
