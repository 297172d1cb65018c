/* checkpoint_config.c -- the configuration that a checkpoint carries; see trainer/checkpoint.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "h5.h"
#include "mem.h"
#include "trainer/checkpoint.h"

enum { TEXT_MAX = 1 << 20 }; /* as much as an INI file may have */

typedef struct config_reader {
    const char *path;
    char *text; /* [TEXT_MAX], shared with the child */
} config_reader;

static tr_status fail_without(const char *path, tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA,
                   "%s: has no configuration inside (files of Keras do not); give the INI file of "
                   "the model with -c FILE",
                   path);
}

/* A scalar variable-length string, as tr_checkpoint_write() makes it. */
static bool read_text(hid_t attribute, char *text, size_t n)
{
    char *found = NULL;
    const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    const bool ok = type >= 0 && space >= 0 && H5Tis_variable_str(type) > 0 &&
                    H5Sget_simple_extent_npoints(space) == 1 &&
                    H5Aread(attribute, type, &found) >= 0 && found != NULL && strlen(found) < n;
    if (ok)
        strcpy(text, found);
    if (found != NULL)
        H5free_memory(found);
    tr_h5_close(space);
    tr_h5_close(type);
    return ok;
}

/* In the child. */
static tr_status read_file(void *job, tr_error *err)
{
    const config_reader *reader = job;
    tr_h5_quiet();
    const hid_t file = H5Fopen(reader->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return tr_fail(err, TR_ERR_DATA, "%s: is not a whole HDF5 file", reader->path);
    tr_status status = TR_OK;
    if (H5Lexists(file, "trainer", H5P_DEFAULT) <= 0 ||
        H5Aexists_by_name(file, "trainer", "config", H5P_DEFAULT) <= 0) {
        status = fail_without(reader->path, err);
    } else {
        const hid_t attribute =
            H5Aopen_by_name(file, "trainer", "config", H5P_DEFAULT, H5P_DEFAULT);
        if (attribute < 0 || !read_text(attribute, reader->text, TEXT_MAX))
            status = tr_fail(err, TR_ERR_DATA,
                             "%s: its configuration (/trainer, config) is "
                             "damaged; give the INI file with -c FILE",
                             reader->path);
        tr_h5_close(attribute);
    }
    tr_h5_close(file);
    return status;
}

tr_status tr_checkpoint_read_config(char **text, const char *path, tr_error *err)
{
    config_reader reader = {.path = path};
    if (access(path, R_OK) != 0)
        return tr_fail(err, TR_ERR_DATA, "%s: cannot be read: %s", path, strerror(errno));
    reader.text = tr_shared_alloc(TEXT_MAX, 1);
    if (reader.text == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory");
    tr_status status = tr_in_child(read_file, &reader, path, err);
    char *copy = status == TR_OK ? tr_strdup(reader.text) : NULL;
    if (status == TR_OK && copy == NULL)
        status = tr_fail(err, TR_ERR_INTERNAL, "out of memory");
    tr_shared_free(reader.text);
    if (status == TR_OK)
        *text = copy;
    return status;
}
