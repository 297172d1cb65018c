/* fuzz_keras.c -- any bytes as the config.json of a `.keras` file.
 *
 * What is understood must be a configuration that loads, and the way from there back to Keras's
 * JSON must not stumble either.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fuzz.h"
#include "keras_json.h"
#include "mem.h"
#include "trainer/checkpoint.h"
#include "trainer/config.h"
#include "trainer/model.h"

/* ---- an archive whose members are stored as they are ---- */

typedef struct member {
    const char *name;
    const void *bytes;
    size_t n, at;
} member;

static uint8_t *put(uint8_t *to, uint64_t value, int n)
{
    for (int i = 0; i < n; i++)
        *to++ = (uint8_t)(i < 8 ? value >> 8 * i : 0);
    return to;
}

/* From "version needed" to the length of the extra field: the same in both kinds of header. */
static uint8_t *put_common(uint8_t *to, const member *self)
{
    to = put(to, 20, 2);
    to = put(to, 0, 8); /* flags, method: stored, time, date */
    to = put(to, crc32(0, self->bytes, (uInt)self->n), 4);
    to = put(put(to, self->n, 4), self->n, 4);
    return put(put(to, strlen(self->name), 2), 0, 2);
}

static size_t archive(uint8_t *bytes, member *members, int n)
{
    uint8_t *to = bytes;
    for (int i = 0; i < n; i++) {
        members[i].at = (size_t)(to - bytes);
        to = put_common(put(to, 0x04034b50, 4), &members[i]);
        to = mempcpy(to, members[i].name, strlen(members[i].name));
        if (members[i].n > 0)
            to = mempcpy(to, members[i].bytes, members[i].n);
    }
    const size_t directory = (size_t)(to - bytes);
    for (int i = 0; i < n; i++) {
        to = put(put(to, 0x02014b50, 4), 20, 2);
        to = put_common(to, &members[i]);
        to = put(to, 0, 10); /* comment, disk, attributes */
        to = put(to, members[i].at, 4);
        to = mempcpy(to, members[i].name, strlen(members[i].name));
    }
    const size_t end = (size_t)(to - bytes);
    to = put(put(to, 0x06054b50, 4), 0, 4);
    to = put(put(to, (uint64_t)n, 2), (uint64_t)n, 2);
    to = put(put(to, end - directory, 4), directory, 4);
    return (size_t)(put(to, 0, 2) - bytes);
}

/* ---- the target ---- */

static void there_and_back(const char *text)
{
    tr_config *config = NULL;
    tr_model *model = NULL;
    tr_error err = {0};
    if (tr_config_parse(&config, "described", text, NULL, 0, &err) != TR_OK ||
        tr_model_parse(&model, config, &err) != TR_OK || tr_config_check(config, &err) != TR_OK)
        abort();
    tr_free(tr_keras_model_config(model, NULL));
    tr_free(tr_keras_training_config(model));
    tr_free(tr_keras3_config(model, NULL));
    tr_model_free(model);
    tr_config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char metadata[] = "{\"keras_version\": \"3.9.2\"}";
    member members[] = {{.name = "metadata.json", .bytes = metadata, .n = strlen(metadata)},
                        {.name = "config.json", .bytes = bytes, .n = n}};
    tr_checkpoint_info info = {0};
    tr_error err = {0};
    uint8_t *file = malloc(n + 1024);
    if (file == NULL)
        return 0;
    const char *path = fuzz_file(file, archive(file, members, 2));
    const tr_status status = tr_checkpoint_describe(&info, path, &err);
    fuzz_expect(status, &err);
    if (status == TR_OK)
        there_and_back(info.config);
    tr_checkpoint_info_release(&info);
    free(file);
    return 0;
}
