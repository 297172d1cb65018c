/* prediction_file.c -- predictions into a file, portion by portion; see predictions.h.
 *
 * Text goes to disk as it comes. HDF5 files are made in memory (h5_write.h): outputs, classes and
 * names of all samples are gathered, their pictures not.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "h5_legend.h"
#include "h5_write.h"
#include "mem.h"
#include "predictions.h"

typedef enum file_form { CSV, JSON, HDF5 } file_form;

struct tr_prediction_file {
    file_form form;
    char *path;
    tr_new_file file; /* of text */
    FILE *out;
    const tr_model *model; /* HDF5, from here on */
    int64_t n, room;       /* samples */
    float *values;
    int32_t *labels; /* NULL: none known */
    char **files;    /* NULL: numbered */
};

static tr_status parse_form(file_form *out, const char *path, tr_error *err)
{
    const char *ending = strrchr(path, '.');
    static const struct {
        const char *ending;
        file_form form;
    } forms[] = {{".csv", CSV}, {".json", JSON}, {".h5", HDF5}, {".hdf5", HDF5}};
    for (size_t i = 0; ending != NULL && i < sizeof forms / sizeof *forms; i++)
        if (strcmp(ending, forms[i].ending) == 0) {
            *out = forms[i].form;
            return TR_OK;
        }
    return tr_fail(err, TR_ERR_CONFIG,
                   "--output %s: the ending says the format; allowed: .csv, .json, .h5, .hdf5",
                   path);
}

static tr_status open_stream(tr_prediction_file *file, tr_error *err)
{
    TR_TRY(tr_new_file_open(&file->file, file->path, err));
    const int fd = dup(file->file.fd);
    file->out = fd < 0 ? NULL : fdopen(fd, "w");
    if (file->out != NULL)
        return TR_OK;
    if (fd >= 0)
        close(fd);
    return tr_out_of_memory(err, file->path);
}

tr_status tr_prediction_file_open(tr_prediction_file **out, const char *path, tr_error *err)
{
    file_form form = CSV;
    TR_TRY(parse_form(&form, path, err));
    tr_prediction_file *file = tr_alloc(1, sizeof *file);
    if (file == NULL)
        return tr_out_of_memory(err, path);
    file->form = form;
    file->file = (tr_new_file){.folder = -1, .fd = -1};
    file->path = tr_strdup(path);
    tr_status status = file->path == NULL ? tr_out_of_memory(err, path)
                       : form == HDF5     ? TR_OK
                                          : open_stream(file, err);
    if (status == TR_OK)
        *out = file;
    else
        tr_prediction_file_free(file);
    return status;
}

void tr_prediction_file_free(tr_prediction_file *file)
{
    if (file == NULL)
        return;
    if (file->out != NULL)
        fclose(file->out);
    tr_new_file_discard(&file->file);
    for (int64_t i = 0; file->files != NULL && i < file->n; i++)
        tr_free(file->files[i]);
    tr_free(file->files);
    tr_free(file->labels);
    tr_free(file->values);
    tr_free(file->path);
    tr_free(file);
}

/* ---- HDF5 ---- */

/* `items` with room for more, which it then is, or as it was. */
static bool grow(void **grown, void *items, int64_t old_n, int64_t new_n, size_t item_bytes)
{
    *grown = tr_realloc(items, (size_t)old_n, (size_t)new_n, item_bytes);
    return *grown != NULL;
}

static tr_status make_room(tr_prediction_file *file, const tr_predictions *predictions,
                           tr_error *err)
{
    const size_t width = (size_t)tr_model_n_classes(file->model);
    if (file->n + predictions->n <= file->room)
        return TR_OK;
    const int64_t room = 2 * file->room + predictions->n;
    void *grown;
    if (!grow(&grown, file->values, file->room, room, width * sizeof *file->values))
        return tr_out_of_memory(err, file->path);
    file->values = grown;
    if (predictions->labels != NULL) {
        if (!grow(&grown, file->labels, file->room, room, sizeof *file->labels))
            return tr_out_of_memory(err, file->path);
        file->labels = grown;
    }
    if (predictions->files != NULL) {
        if (!grow(&grown, file->files, file->room, room, sizeof *file->files))
            return tr_out_of_memory(err, file->path);
        file->files = grown;
    }
    file->room = room;
    return TR_OK;
}

static tr_status gather(tr_prediction_file *file, const tr_predictions *predictions, tr_error *err)
{
    const int64_t width = tr_model_n_classes(predictions->model);
    file->model = predictions->model;
    TR_TRY(make_room(file, predictions, err));
    memcpy(file->values + file->n * width, predictions->values,
           (size_t)(predictions->n * width) * sizeof *file->values);
    if (predictions->labels != NULL)
        memcpy(file->labels + file->n, predictions->labels,
               (size_t)predictions->n * sizeof *file->labels);
    for (int64_t i = 0; predictions->files != NULL && i < predictions->n; i++, file->n++) {
        file->files[file->n] = tr_strdup(predictions->files[i]);
        if (file->files[file->n] == NULL)
            return tr_out_of_memory(err, file->path);
    }
    if (predictions->files == NULL)
        file->n += predictions->n;
    return TR_OK;
}

static tr_status write_classes(const tr_prediction_file *file, hid_t h5, tr_error *err)
{
    const int64_t width = tr_model_n_classes(file->model);
    int32_t *classes = tr_alloc((size_t)file->n, sizeof *classes);
    if (classes == NULL)
        return tr_out_of_memory(err, NULL);
    for (int64_t i = 0; i < file->n; i++)
        classes[i] = (int32_t)tr_model_class_of(file->model, file->values + i * width);
    const tr_status status = tr_h5_write_dataset(h5, "classes", 1, &file->n, H5T_STD_I32LE,
                                                 H5T_NATIVE_INT32, classes, err);
    tr_free(classes);
    return status;
}

static tr_status fill(const void *user, hid_t h5, tr_error *err)
{
    const tr_prediction_file *file = user;
    const int64_t dims[2] = {file->n, tr_model_n_classes(file->model)};
    TR_TRY(tr_h5_write_dataset(h5, "predictions", 2, dims, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT,
                               file->values, err));
    if (tr_model_predicts_classes(file->model))
        TR_TRY(write_classes(file, h5, err));
    if (file->labels != NULL)
        TR_TRY(tr_h5_write_dataset(h5, "labels", 1, dims, H5T_STD_I32LE, H5T_NATIVE_INT32,
                                   file->labels, err));
    if (file->files != NULL)
        TR_TRY(tr_h5_write_texts(h5, "files", (const char *const *)file->files, file->n, err));
    return tr_h5_legend_write(h5, tr_model_legend(file->model), err);
}

/* ---- any ---- */

tr_status tr_prediction_file_add(tr_prediction_file *file, const tr_predictions *predictions,
                                 tr_error *err)
{
    if (file->form == HDF5)
        return gather(file, predictions, err);
    if (file->form == JSON)
        return tr_predictions_print_json_rows(file->out, predictions, err);
    if (predictions->first == 0)
        tr_predictions_print_csv(file->out, predictions);
    else
        tr_predictions_print_csv_rows(file->out, predictions);
    return TR_OK;
}

tr_status tr_prediction_file_put(tr_prediction_file *file, tr_error *err)
{
    if (file->form == HDF5)
        return tr_h5_write_file(file->path, fill, file, err);
    if (file->form == JSON)
        fputs("\n]\n", file->out);
    const bool failed = ferror(file->out) != 0;
    const bool complete = fclose(file->out) == 0 && !failed;
    file->out = NULL;
    if (!complete)
        return tr_fail(err, TR_ERR_IO, "%s: cannot be written", file->path);
    return tr_new_file_put(&file->file, err);
}

tr_status tr_predictions_write(const char *path, const tr_predictions *predictions, tr_error *err)
{
    tr_prediction_file *file = NULL;
    TR_TRY(tr_prediction_file_open(&file, path, err));
    tr_status status = tr_prediction_file_add(file, predictions, err);
    if (status == TR_OK)
        status = tr_prediction_file_put(file, err);
    tr_prediction_file_free(file);
    return status;
}
