/* keras_file.c -- see keras_file.h. */
#include "keras_file.h"

#include <stdio.h>
#include <string.h>

#include "h5_attributes.h"
#include "mem.h"
#include "zip_file.h"

/* ---- JSON ---- */

/* Keras says a layer in a thousand bytes; parsing takes a second for every 20 MB. */
static const size_t MOST_JSON = (size_t)16 << 20;

static tr_status parse_json(json_t **out, const char *path, const char *what, const char *text,
                            tr_error *err)
{
    json_error_t reason;
    const size_t n = strlen(text);
    if (n > MOST_JSON)
        return tr_fail(err, TR_ERR_DATA, "%s: its %s has %zu bytes; at most %zu are read", path,
                       what, n, MOST_JSON);
    *out = json_loads(text, 0, &reason);
    if (json_is_object(*out))
        return TR_OK;
    return tr_fail(err, TR_ERR_DATA, "%s: its %s cannot be read (%s): the file is damaged", path,
                   what, *out == NULL ? reason.text : "not an object");
}

/* ---- HDF5 ---- */

/* The text of an attribute; NULL: absent. */
static tr_status read_text(char **text, hid_t object, const char *path, const char *name,
                           tr_error *err)
{
    char **found = NULL;
    size_t n = 0;
    *text = NULL;
    if (H5Aexists(object, name) <= 0)
        return TR_OK;
    if (!tr_h5_read_names(object, name, &found, &n) || n != 1) {
        tr_h5_free_names(found, n);
        return tr_fail(err, TR_ERR_DATA, "%s: its attribute %s cannot be read: the file is damaged",
                       path, name);
    }
    *text = tr_strdup(found[0]);
    tr_h5_free_names(found, n);
    return *text == NULL ? tr_out_of_memory(err, NULL) : TR_OK;
}

static tr_status read_json(json_t **out, const tr_keras_file *file, const char *name, tr_error *err)
{
    char *text = NULL;
    TR_TRY(read_text(&text, file->h5, file->path, name, err));
    const tr_status status = text == NULL ? TR_OK : parse_json(out, file->path, name, text, err);
    tr_free(text);
    return status;
}

/* At the root, or where files without a model have it. */
static tr_status read_version(tr_keras_file *file, tr_error *err)
{
    char *text = NULL;
    TR_TRY(read_text(&text, file->h5, file->path, "keras_version", err));
    if (text != NULL)
        snprintf(file->version, sizeof file->version, "%s", text);
    tr_free(text);
    return TR_OK;
}

/* The list of files that save_weights(..., max_shard_size=...) of Keras 3 makes. */
static bool is_shard_index(const char *path)
{
    char head[4096] = "";
    FILE *file = fopen(path, "rb");
    const size_t n = file == NULL ? 0 : fread(head, 1, sizeof head - 1, file);
    if (file != NULL)
        fclose(file);
    head[n] = '\0';
    return head[0] == '{' && strstr(head, "\"weight_map\"") != NULL;
}

static tr_status open_h5(tr_keras_file *file, tr_error *err)
{
    if (is_shard_index(file->path))
        return tr_fail(err, TR_ERR_DATA,
                       "%s: is a list of weights in several files (shards), which are not read: "
                       "save the model or its weights as one file, without max_shard_size",
                       file->path);
    TR_TRY(tr_h5_file_open(&file->file, file->path, TR_H5_MODEL, err));
    file->h5 = file->file.id;
    return TR_OK;
}

/* ---- .keras ---- */

static const size_t MOST_WEIGHTS = (size_t)4 << 30; /* of a member, unpacked */

/* HDF5 reads it where it lies; nothing is written to disk. */
static tr_status open_member(tr_keras_file *file, tr_error *err)
{
    static const char name[] = "model.weights.h5";
    void *bytes = NULL;
    size_t n = 0;
    TR_TRY(tr_zip_read(&bytes, &n, file->path, name, MOST_WEIGHTS, err));
    const tr_status status = tr_h5_file_open_image(&file->file, bytes, n, file->path, err);
    tr_free(bytes);
    if (status != TR_OK)
        return tr_fail(err, TR_ERR_DATA, "%s: %s in it is not a whole HDF5 file", file->path, name);
    file->h5 = file->file.id;
    return TR_OK;
}

static tr_status read_member_json(json_t **out, const char *path, const char *name, tr_error *err)
{
    void *bytes = NULL;
    size_t n = 0;
    TR_TRY(tr_zip_read(&bytes, &n, path, name, MOST_JSON, err));
    const tr_status status = parse_json(out, path, name, bytes, err);
    tr_free(bytes);
    return status;
}

static tr_status read_archive_config(tr_keras_file *file, tr_error *err)
{
    json_t *metadata = NULL;
    TR_TRY(read_member_json(&file->model, file->path, "config.json", err));
    TR_TRY(read_member_json(&metadata, file->path, "metadata.json", err));
    const char *version = json_string_value(json_object_get(metadata, "keras_version"));
    snprintf(file->version, sizeof file->version, "%s", version == NULL ? "" : version);
    json_decref(metadata);
    json_t *compiled = json_object_get(file->model, "compile_config");
    file->training = json_is_object(compiled) ? json_incref(compiled) : NULL;
    return TR_OK;
}

/* ---- both ---- */

tr_status tr_keras_file_open_config(tr_keras_file *file, const char *path, tr_error *err)
{
    *file = (tr_keras_file){.path = path, .h5 = H5I_INVALID_HID};
    tr_h5_quiet();
    if (tr_is_zip(path))
        return read_archive_config(file, err);
    TR_TRY(open_h5(file, err));
    TR_TRY(read_version(file, err));
    TR_TRY(read_json(&file->model, file, "model_config", err));
    return read_json(&file->training, file, "training_config", err);
}

tr_status tr_keras_file_open_weights(tr_keras_file *file, const char *path, tr_error *err)
{
    *file = (tr_keras_file){.path = path, .h5 = H5I_INVALID_HID};
    tr_h5_quiet();
    return tr_is_zip(path) ? open_member(file, err) : open_h5(file, err);
}

void tr_keras_file_close(tr_keras_file *file)
{
    tr_h5_file_close(&file->file);
    json_decref(file->model);
    json_decref(file->training);
}
