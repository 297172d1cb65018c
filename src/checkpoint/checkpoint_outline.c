/* checkpoint_outline.c -- see checkpoint_outline.h. */
#include "checkpoint_outline.h"

#include <stdio.h>
#include <string.h>

#include "checkpoint_file.h"
#include "child.h"
#include "digest.h"
#include "h5_array.h"
#include "h5_attributes.h"
#include "mem.h"
#include "training_state.h"

typedef struct outline_job {
    const char *path;
    tr_checkpoint_outline *outline; /* shared */
} outline_job;

/* ---- in the child: names ---- */

static void show(tr_outline_list *list, const char *layer, const char *name, const char *path)
{
    if (list->n == TR_OUTLINE_ENTRIES) {
        list->n_unlisted++;
        return;
    }
    tr_outline_entry *entry = &list->entries[list->n++];
    snprintf(entry->layer, sizeof entry->layer, "%s", layer);
    snprintf(entry->weight, sizeof entry->weight, "%s", name);
    snprintf(entry->path, sizeof entry->path, "%s", path);
}

/* A name without an array is worth showing; what leads out of the file is refused. */
static tr_status check_weight(const tr_checkpoint_file *file, const char *path, tr_error *err)
{
    tr_h5_array array;
    bool has;
    TR_TRY(tr_h5_file_has(&file->keras.file, path, &has, err));
    if (!has)
        return TR_OK;
    const tr_status status = tr_h5_array_open(&array, &file->keras.file, path, err);
    tr_h5_array_close(&array);
    return status;
}

static tr_status show_layers(tr_checkpoint_outline *outline, const tr_checkpoint_file *file,
                             tr_error *err)
{
    outline->n_layers = (int64_t)file->n_layers;
    for (size_t i = 0; i < file->n_layers; i++) {
        const tr_file_layer *layer = &file->layers[i];
        const tr_file_array *weights = &file->weights.items[layer->first];
        for (size_t k = 0; k < layer->n; k++)
            show(&outline->weights, layer->name, weights[k].name, weights[k].path);
        if (layer->n == 0)
            show(&outline->weights, layer->name, "", "");
    }
    for (size_t i = 0; i < file->weights.n; i++)
        TR_TRY(check_weight(file, file->weights.items[i].path, err));
    return TR_OK;
}

/* Keras's own, and ours. */
static tr_status show_variables(tr_checkpoint_outline *outline, const tr_checkpoint_file *file,
                                tr_error *err)
{
    static const char *const groups[] = {"optimizer_weights", TR_STATE_VARIABLES, "optimizer/vars"};
    tr_file_arrays found = {0};
    tr_status status = TR_OK;
    for (size_t i = 0; status == TR_OK && i < sizeof groups / sizeof *groups; i++) {
        status = tr_checkpoint_file_variables(&found, file, groups[i], err);
        for (size_t k = 0; status == TR_OK && k < found.n; k++)
            show(&outline->variables, "", found.items[k].name, found.items[k].path);
        tr_file_arrays_release(&found);
    }
    return status;
}

static void show_model(tr_checkpoint_outline *outline, const tr_checkpoint_file *file)
{
    char **text = NULL;
    size_t n = 0;
    if (!tr_h5_read_names(file->keras.h5, "model_config", &text, &n))
        return;
    json_t *json = n == 1 ? json_loads(text[0], 0, NULL) : NULL;
    const char *class_name = json_string_value(json_object_get(json, "class_name"));
    const char *name = json_string_value(json_object_get(json_object_get(json, "config"), "name"));
    snprintf(outline->model_class, sizeof outline->model_class, "%s",
             class_name == NULL ? "" : class_name);
    snprintf(outline->model_name, sizeof outline->model_name, "%s", name == NULL ? "" : name);
    json_decref(json);
    tr_h5_free_names(text, n);
}

/* ---- in the child: the digest ---- */

static tr_status add_values(tr_digest *digest, const tr_checkpoint_file *file, const char *path,
                            tr_error *err)
{
    tr_h5_array array;
    float *values = NULL;
    tr_status status = tr_h5_array_open(&array, &file->keras.file, path, err);
    if (status == TR_OK) {
        values = tr_alloc((size_t)array.n_elements, sizeof *values);
        status = values == NULL
                     ? tr_out_of_memory(err, file->keras.path)
                     : tr_h5_array_read(values, &file->keras.file, &array, H5T_NATIVE_FLOAT, err);
    }
    if (status == TR_OK)
        tr_digest_add(digest, values, (size_t)array.n_elements * sizeof *values);
    tr_free(values);
    tr_h5_array_close(&array);
    return status;
}

/* Of all weights, listed or not, where there is one to compare it with. */
static tr_status show_digest(tr_checkpoint_outline *outline, const tr_checkpoint_file *file,
                             tr_error *err)
{
    if (file->layout != TR_WEIGHTS_LISTED) /* the order is not told */
        return TR_OK;
    TR_TRY(tr_training_state_read_digest(outline->digest_stored, &file->keras.file, err));
    if (outline->digest_stored[0] == '\0')
        return TR_OK;
    tr_digest *digest = tr_digest_new();
    tr_status status = digest == NULL ? tr_out_of_memory(err, file->keras.path) : TR_OK;
    for (size_t i = 0; status == TR_OK && i < file->weights.n; i++)
        status = add_values(digest, file, file->weights.items[i].path, err);
    if (status == TR_OK)
        tr_digest_text(digest, outline->digest);
    tr_digest_free(digest);
    return status;
}

/* ---- in the child: the history ---- */

static tr_status read_table(tr_outline_history *history, const tr_checkpoint_file *file,
                            const tr_h5_array *table, tr_error *err)
{
    char **names = NULL;
    size_t n = 0;
    const bool named = table->rank == 2 && tr_h5_read_names(table->id, "columns", &names, &n) &&
                       n <= TR_OUTLINE_COLUMNS && (int64_t)n == table->dims[1];
    for (size_t i = 0; named && i < n; i++)
        snprintf(history->columns[i], sizeof history->columns[i], "%s", names[i]);
    tr_h5_free_names(names, n);
    if (!named)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: /trainer/history is no table of epochs and named columns",
                       file->keras.path);
    const int64_t start[TR_H5_RANK] = {0};
    int64_t count[TR_H5_RANK] = {table->dims[0], table->dims[1]};
    if (count[0] > TR_OUTLINE_EPOCHS)
        count[0] = TR_OUTLINE_EPOCHS;
    TR_TRY(tr_h5_array_read_box(history->values, &file->keras.file, table, H5T_NATIVE_DOUBLE, start,
                                count, err));
    history->n_epochs = count[0];
    history->n_columns = (int)count[1];
    return TR_OK;
}

static tr_status show_history(tr_outline_history *history, const tr_checkpoint_file *file,
                              tr_error *err)
{
    static const char path[] = "trainer/history";
    tr_h5_array table;
    bool has;
    TR_TRY(tr_h5_file_has(&file->keras.file, path, &has, err));
    if (!has)
        return TR_OK;
    tr_status status = tr_h5_array_open(&table, &file->keras.file, path, err);
    if (status == TR_OK)
        status = read_table(history, file, &table, err);
    tr_h5_array_close(&table);
    return status;
}

static tr_status show_all(tr_checkpoint_outline *outline, const tr_checkpoint_file *file,
                          tr_error *err)
{
    TR_TRY(show_layers(outline, file, err));
    show_model(outline, file);
    TR_TRY(show_variables(outline, file, err));
    TR_TRY(show_digest(outline, file, err));
    return show_history(&outline->history, file, err);
}

static tr_status read_file(void *user, tr_error *err)
{
    outline_job *job = user;
    tr_checkpoint_file file;
    tr_status status = tr_checkpoint_file_open(&file, job->path, err);
    if (status == TR_OK)
        status = show_all(job->outline, &file, err);
    tr_checkpoint_file_close(&file);
    return status;
}

/* ---- in the parent: what the child left is not believed ---- */

#define END_TEXT(text) ((text)[sizeof(text) - 1] = '\0')

static bool is_within(int64_t n, int64_t most)
{
    return n >= 0 && n <= most;
}

static bool check_list(tr_outline_list *list)
{
    if (!is_within(list->n, TR_OUTLINE_ENTRIES) || list->n_unlisted < 0)
        return false;
    for (int64_t i = 0; i < list->n; i++) {
        END_TEXT(list->entries[i].layer);
        END_TEXT(list->entries[i].weight);
        END_TEXT(list->entries[i].path);
    }
    return true;
}

static bool check_all(tr_checkpoint_outline *outline)
{
    tr_outline_history *history = &outline->history;
    END_TEXT(outline->model_class);
    END_TEXT(outline->model_name);
    END_TEXT(outline->digest_stored);
    END_TEXT(outline->digest);
    for (int i = 0; i < TR_OUTLINE_COLUMNS; i++)
        END_TEXT(history->columns[i]);
    return outline->n_layers >= 0 && is_within(history->n_epochs, TR_OUTLINE_EPOCHS) &&
           is_within(history->n_columns, TR_OUTLINE_COLUMNS) && check_list(&outline->weights) &&
           check_list(&outline->variables);
}

tr_status tr_checkpoint_outline_read(tr_checkpoint_outline **out, const char *path, tr_error *err)
{
    outline_job job = {.path = path, .outline = tr_shared_alloc(1, sizeof *job.outline)};
    if (job.outline == NULL)
        return tr_out_of_memory(err, path);
    tr_status status = tr_in_child(read_file, &job, path, err);
    if (status == TR_OK && !check_all(job.outline))
        status = tr_fail(err, TR_ERR_DATA,
                         "%s: its reader told what cannot be: the file is damaged", path);
    if (status == TR_OK)
        *out = job.outline;
    else
        tr_checkpoint_outline_free(job.outline);
    return status;
}

bool tr_checkpoint_outline_damaged(const tr_checkpoint_outline *outline)
{
    return outline->digest_stored[0] != '\0' &&
           strcmp(outline->digest_stored, outline->digest) != 0;
}

void tr_checkpoint_outline_free(tr_checkpoint_outline *outline)
{
    tr_shared_free(outline);
}
