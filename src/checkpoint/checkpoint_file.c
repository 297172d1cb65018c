/* checkpoint_file.c -- see checkpoint_file.h. */
#include "checkpoint_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h5_array.h"
#include "h5_attributes.h"
#include "mem.h"

/* ---- lists ---- */

/* "group/name" */
static char *join(const char *group, const char *name)
{
    return group[0] == '\0' ? tr_strdup(name) : tr_format("%s/%s", group, name);
}

/* Its name is the path without the first `skip` characters. */
static tr_status add_array(tr_file_arrays *arrays, const char *group, const char *name, size_t skip,
                           tr_error *err)
{
    tr_file_array *grown = tr_grown(arrays->items, arrays->n, sizeof *grown);
    if (grown == NULL)
        return tr_out_of_memory(err, NULL);
    arrays->items = grown;
    char *path = join(group, name);
    if (path == NULL)
        return tr_out_of_memory(err, NULL);
    grown[arrays->n++] = (tr_file_array){path, path + skip};
    return TR_OK;
}

static tr_status add_layer(tr_checkpoint_file *file, const char *name, tr_error *err)
{
    tr_file_layer *grown = tr_grown(file->layers, file->n_layers, sizeof *grown);
    if (grown == NULL)
        return tr_out_of_memory(err, NULL);
    file->layers = grown;
    tr_file_layer *layer = &grown[file->n_layers++];
    *layer = (tr_file_layer){.name = tr_strdup(name), .first = file->weights.n};
    return layer->name != NULL ? TR_OK : tr_out_of_memory(err, NULL);
}

void tr_file_arrays_release(tr_file_arrays *arrays)
{
    for (size_t i = 0; i < arrays->n; i++)
        tr_free(arrays->items[i].path);
    tr_free(arrays->items);
    *arrays = (tr_file_arrays){0};
}

/* ---- groups that list what is in them ---- */

/* The names in an attribute of the group at `path`; none where it has no such attribute. */
static tr_status read_names(char ***names, size_t *n, const tr_checkpoint_file *file,
                            const char *path, const char *attribute, tr_error *err)
{
    hid_t group;
    *names = NULL;
    *n = 0;
    TR_TRY(tr_h5_group_open(&group, &file->keras.file, path, err));
    const bool ok = tr_h5_read_names(group, attribute, names, n);
    tr_h5_close(group);
    return ok ? TR_OK
              : tr_fail(err, TR_ERR_DATA,
                        "%s: the attribute %s of /%s cannot be read: the file is "
                        "damaged",
                        file->keras.path, attribute, path);
}

/* The arrays that the group at `path` names in its weight_names. */
static tr_status add_named(tr_file_arrays *arrays, const tr_checkpoint_file *file, const char *path,
                           tr_error *err)
{
    char **names;
    size_t n;
    const size_t skip = strlen(path) + (path[0] != '\0');
    tr_status status = read_names(&names, &n, file, path, "weight_names", err);
    for (size_t i = 0; status == TR_OK && i < n; i++)
        status = add_array(arrays, path, names[i], skip, err);
    tr_h5_free_names(names, n);
    return status;
}

static tr_status find_backend(tr_checkpoint_file *file, const char *root, tr_error *err)
{
    hid_t group;
    char backend[32] = "";
    TR_TRY(tr_h5_group_open(&group, &file->keras.file, root, err));
    file->of_theano = tr_h5_read_text(group, "backend", backend, sizeof backend) &&
                      strcmp(backend, "theano") == 0;
    tr_h5_close(group);
    return TR_OK;
}

static tr_status list_listed(tr_checkpoint_file *file, const char *root, tr_error *err)
{
    char **layers;
    size_t n;
    TR_TRY(find_backend(file, root, err));
    tr_status status = read_names(&layers, &n, file, root, "layer_names", err);
    file->layout = n > 0 ? TR_WEIGHTS_LISTED : TR_WEIGHTS_NONE;
    for (size_t i = 0; status == TR_OK && i < n; i++) {
        char *group = join(root, layers[i]);
        status = group == NULL ? tr_out_of_memory(err, NULL) : add_layer(file, layers[i], err);
        if (status == TR_OK)
            status = add_named(&file->weights, file, group, err);
        if (status == TR_OK)
            file->layers[i].n = file->weights.n - file->layers[i].first;
        tr_free(group);
    }
    tr_h5_free_names(layers, n);
    return status;
}

/* ---- groups whose arrays have numbers ---- */

/* The arrays 0, 1, ... in the group at `path`. */
static tr_status add_numbered(tr_file_arrays *arrays, const tr_checkpoint_file *file,
                              const char *path, size_t skip, tr_error *err)
{
    hid_t group;
    bool has = true;
    TR_TRY(tr_h5_group_open(&group, &file->keras.file, path, err)); /* it is in this file */
    tr_h5_close(group);
    for (size_t i = 0; has; i++) {
        char number[24], array[TR_H5_PATH];
        snprintf(number, sizeof number, "%zu", i);
        snprintf(array, sizeof array, "%s/%s", path, number);
        TR_TRY(tr_h5_file_has(&file->keras.file, array, &has, err));
        if (has)
            TR_TRY(add_array(arrays, path, number, skip, err));
    }
    return TR_OK;
}

typedef struct key_list {
    char **names;
    size_t n;
} key_list;

/* H5Literate visitor: -1 where memory is out. */
static herr_t visit_key(hid_t group, const char *name, const H5L_info_t *info, void *user)
{
    key_list *keys = user;
    (void)group, (void)info;
    char **grown = tr_grown(keys->names, keys->n, sizeof *grown);
    if (grown == NULL)
        return -1;
    keys->names = grown;
    grown[keys->n] = tr_strdup(name);
    return grown[keys->n++] == NULL ? -1 : 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static tr_status find_keys(key_list *keys, const tr_checkpoint_file *file, const char *root,
                           tr_error *err)
{
    hid_t group;
    hsize_t next = 0;
    TR_TRY(tr_h5_group_open(&group, &file->keras.file, root, err));
    const herr_t result = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &next, visit_key, keys);
    tr_h5_close(group);
    if (result < 0)
        return tr_fail(err, TR_ERR_DATA, "%s: HDF5 cannot list /%s; is the file damaged?",
                       file->keras.path, root);
    if (keys->n > 0)
        qsort(keys->names, keys->n, sizeof *keys->names, compare_names);
    return TR_OK;
}

enum { MAX_NESTING = 16 };

static tr_status list_group(tr_checkpoint_file *file, const char *root, size_t skip, int depth,
                            tr_error *err);

/* Groups of other things, such as seeds, have no arrays there. A model among the layers has its own
 * below. Names are without the first `skip` characters of the path. */
static tr_status list_key(tr_checkpoint_file *file, const char *root, const char *key, size_t skip,
                          int depth, tr_error *err)
{
    bool has = false;
    char *vars = tr_format("%s/%s/vars", root, key), *inner = tr_format("%s/%s/layers", root, key);
    tr_status status = vars == NULL || inner == NULL
                           ? tr_out_of_memory(err, NULL)
                           : tr_h5_file_has(&file->keras.file, vars, &has, err);
    if (status == TR_OK && has) {
        const size_t n = strlen(vars) - strlen("/vars");
        char *name = tr_format("%.*s", (int)(n - skip), vars + skip);
        status = name == NULL ? tr_out_of_memory(err, NULL) : add_layer(file, name, err);
        if (status == TR_OK)
            status = add_numbered(&file->weights, file, vars, n + 1, err);
        if (status == TR_OK)
            file->layers[file->n_layers - 1].n =
                file->weights.n - file->layers[file->n_layers - 1].first;
        tr_free(name);
    }
    if (status == TR_OK)
        status = tr_h5_file_has(&file->keras.file, inner, &has, err);
    if (status == TR_OK && has && depth < MAX_NESTING)
        status = list_group(file, inner, skip, depth + 1, err);
    tr_free(inner);
    tr_free(vars);
    return status;
}

static tr_status list_group(tr_checkpoint_file *file, const char *root, size_t skip, int depth,
                            tr_error *err)
{
    key_list keys = {0};
    tr_status status = find_keys(&keys, file, root, err);
    for (size_t i = 0; status == TR_OK && i < keys.n; i++)
        status = list_key(file, root, keys.names[i], skip, depth, err);
    tr_h5_free_names(keys.names, keys.n);
    return status;
}

static int compare_layers(const void *a, const void *b)
{
    return strcmp(((const tr_file_layer *)a)->name, ((const tr_file_layer *)b)->name);
}

static tr_status list_keyed(tr_checkpoint_file *file, const char *root, tr_error *err)
{
    file->layout = TR_WEIGHTS_KEYED;
    const tr_status status = list_group(file, root, strlen(root) + 1, 0, err);
    if (status == TR_OK && file->n_layers > 0)
        qsort(file->layers, file->n_layers, sizeof *file->layers, compare_layers);
    return status;
}

/* ---- the file ---- */

static tr_status list_weights(tr_checkpoint_file *file, tr_error *err)
{
    static const char *const roots[] = {"layers", "_layer_checkpoint_dependencies"};
    const tr_h5_file *h5 = &file->keras.file;
    bool has;
    TR_TRY(tr_h5_file_has(h5, "trainer", &file->of_trainer, err));
    TR_TRY(tr_h5_file_has(h5, "model_weights", &has, err));
    if (has)
        return list_listed(file, "model_weights", err);
    TR_TRY(list_listed(file, "", err));
    /* Where the root lists layers, "layers" is the name of one of them. */
    for (size_t i = 0; file->layout == TR_WEIGHTS_NONE && i < sizeof roots / sizeof *roots; i++) {
        TR_TRY(tr_h5_file_has(h5, roots[i], &has, err));
        if (has)
            return list_keyed(file, roots[i], err);
    }
    return TR_OK;
}

tr_status tr_checkpoint_file_open(tr_checkpoint_file *file, const char *path, tr_error *err)
{
    *file = (tr_checkpoint_file){0};
    TR_TRY(tr_keras_file_open_weights(&file->keras, path, err));
    return list_weights(file, err);
}

void tr_checkpoint_file_close(tr_checkpoint_file *file)
{
    for (size_t i = 0; i < file->n_layers; i++)
        tr_free(file->layers[i].name);
    tr_free(file->layers);
    tr_file_arrays_release(&file->weights);
    tr_keras_file_close(&file->keras);
}

tr_status tr_checkpoint_file_variables(tr_file_arrays *variables, const tr_checkpoint_file *file,
                                       const char *path, tr_error *err)
{
    bool has;
    TR_TRY(tr_h5_file_has(&file->keras.file, path, &has, err));
    if (!has)
        return TR_OK;
    TR_TRY(add_named(variables, file, path, err));
    return variables->n > 0 ? TR_OK : add_numbered(variables, file, path, 0, err);
}

/* ---- values ---- */

void tr_shape_text(char *text, size_t n, int n_dims, const int64_t *dims)
{
    size_t used = (size_t)snprintf(text, n, "[");
    for (int i = 0; i < n_dims && used < n; i++)
        used +=
            (size_t)snprintf(text + used, n - used, "%s%lld", i ? ", " : "", (long long)dims[i]);
    if (used < n)
        snprintf(text + used, n - used, "]");
}

static bool has_shape(const tr_h5_array *array, int n_dims, const int64_t *dims)
{
    bool same = array->rank == n_dims;
    for (int i = 0; same && i < n_dims; i++)
        same = array->dims[i] == dims[i];
    return same;
}

tr_status tr_checkpoint_file_fits(bool *fits, char *shape, const tr_checkpoint_file *file,
                                  const char *path, int n_dims, const int64_t *dims, tr_error *err)
{
    tr_h5_array array;
    const tr_status status = tr_h5_array_open(&array, &file->keras.file, path, err);
    if (status == TR_OK) {
        *fits = has_shape(&array, n_dims, dims);
        snprintf(shape, TR_H5_TEXT, "%s", array.text);
    }
    tr_h5_array_close(&array);
    return status;
}

tr_status tr_checkpoint_file_read(void *values, const tr_checkpoint_file *file, const char *path,
                                  int n_dims, const int64_t *dims, hid_t memory_type,
                                  const char *whose, tr_error *err)
{
    tr_h5_array array;
    tr_status status = tr_h5_array_open(&array, &file->keras.file, path, err);
    if (status == TR_OK && !has_shape(&array, n_dims, dims)) {
        char shape[TR_H5_TEXT];
        tr_shape_text(shape, sizeof shape, n_dims, dims);
        status = tr_fail(err, TR_ERR_DATA, "%s: %s is %s, %s is %s", file->keras.path, path,
                         array.text, whose, shape);
    }
    if (status == TR_OK)
        status = tr_h5_array_read(values, &file->keras.file, &array, memory_type, err);
    tr_h5_array_close(&array);
    return status;
}
