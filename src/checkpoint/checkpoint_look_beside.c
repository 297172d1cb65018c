/* checkpoint_look_beside.c -- what stands beside the layers of a checkpoint; see checkpoint_look.h.
 *
 * Runs in the child. All of it may be absent: older files and those of Keras have less.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "checkpoint_look.h"
#include "h5_attributes.h"

/* ---- the model's name ---- */

static void look_at_model(tr_checkpoint_outline *outline, hid_t file)
{
    char **text = NULL;
    size_t n = 0;
    if (!tr_h5_read_names(file, "model_config", &text, &n))
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

/* ---- the history ---- */

static tr_status fail_history(const char *path, tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA, "%s: /trainer/history is no table of epochs and named columns",
                   path);
}

/* [epochs, columns] into the larger table in memory. */
static bool read_table(tr_outline_history *history, hid_t dataset, const hsize_t dims[2])
{
    const hsize_t rows = dims[0] < TR_OUTLINE_EPOCHS ? dims[0] : TR_OUTLINE_EPOCHS;
    const hsize_t room[2] = {TR_OUTLINE_EPOCHS, TR_OUTLINE_COLUMNS}, start[2] = {0, 0};
    const hsize_t count[2] = {rows, dims[1]};
    const hid_t memory = H5Screate_simple(2, room, NULL), space = H5Dget_space(dataset);
    const bool ok =
        H5Sselect_hyperslab(memory, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
        H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, history->values) >= 0;
    history->n_epochs = ok ? (int64_t)rows : 0;
    tr_h5_close(space);
    tr_h5_close(memory);
    return ok;
}

static bool read_history(tr_outline_history *history, hid_t dataset)
{
    char **names = NULL;
    size_t n = 0;
    hsize_t dims[H5S_MAX_RANK] = {0};
    const hid_t space = dataset < 0 ? H5I_INVALID_HID : H5Dget_space(dataset);
    bool ok = space >= 0 && H5Sget_simple_extent_dims(space, dims, NULL) == 2 &&
              tr_h5_read_names(dataset, "columns", &names, &n);
    tr_h5_close(space);
    ok = ok && n == dims[1] && n <= TR_OUTLINE_COLUMNS;
    if (ok && n > 0 && dims[0] > 0)
        ok = read_table(history, dataset, dims);
    for (size_t i = 0; ok && i < n; i++)
        snprintf(history->columns[i], sizeof history->columns[i], "%s", names[i]);
    history->n_columns = ok ? (int)n : 0;
    tr_h5_free_names(names, n);
    return ok;
}

/* ---- the optimizer ---- */

static bool exists(hid_t file, const char *group, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s%s%s", group, group[0] == '\0' ? "" : "/", name);
    return (group[0] == '\0' || H5Lexists(file, group, H5P_DEFAULT) > 0) &&
           H5Lexists(file, path, H5P_DEFAULT) > 0;
}

/* A group with weight_names. */
static void add_named(tr_checkpoint_outline *outline, hid_t file, const char *path)
{
    char **names = NULL, root[128];
    size_t n = 0;
    const hid_t group = H5Gopen2(file, path, H5P_DEFAULT);
    snprintf(root, sizeof root, "%s/", path);
    if (group >= 0 && tr_h5_read_names(group, "weight_names", &names, &n))
        for (size_t i = 0; i < n; i++)
            tr_outline_add(outline, root, "", names[i]);
    tr_h5_free_names(names, n);
    tr_h5_close(group);
}

static void look_at_optimizer(tr_checkpoint_outline *outline, hid_t file)
{
    char name[64];
    if (exists(file, "", "optimizer_weights"))
        add_named(outline, file, "optimizer_weights");
    if (exists(file, "trainer", "optimizer_weights"))
        add_named(outline, file, "trainer/optimizer_weights");
    for (int i = 0; exists(file, "optimizer", "vars"); i++) {
        snprintf(name, sizeof name, "optimizer/vars/%d", i);
        if (H5Lexists(file, name, H5P_DEFAULT) <= 0)
            break;
        tr_outline_add(outline, "", "", name);
    }
}

/* ---- all ---- */

tr_status tr_checkpoint_look_digest(tr_checkpoint_outline *outline, hid_t file, const char *path,
                                    tr_error *err)
{
    if (!exists(file, "", "trainer"))
        return TR_OK;
    const hid_t trainer = H5Gopen2(file, "trainer", H5P_DEFAULT);
    const bool ok =
        trainer >= 0 && (H5Aexists(trainer, "weights_digest") == 0 ||
                         tr_h5_read_text(trainer, "weights_digest", outline->digest_stored,
                                         sizeof outline->digest_stored));
    tr_h5_close(trainer);
    return ok ? TR_OK
              : tr_fail(err, TR_ERR_DATA, "%s: weights_digest of /trainer cannot be read", path);
}

tr_status tr_checkpoint_look_beside(tr_checkpoint_outline *outline, hid_t file, const char *path,
                                    tr_error *err)
{
    tr_status status = TR_OK;
    look_at_model(outline, file);
    look_at_optimizer(outline, file);
    if (!exists(file, "", "trainer"))
        return TR_OK;
    const hid_t trainer = H5Gopen2(file, "trainer", H5P_DEFAULT);
    if (trainer < 0)
        return tr_fail(err, TR_ERR_DATA, "%s: /trainer cannot be opened", path);
    if (exists(file, "trainer", "history")) {
        const hid_t dataset = H5Dopen2(trainer, "history", H5P_DEFAULT);
        if (!read_history(&outline->history, dataset))
            status = fail_history(path, err);
        tr_h5_close(dataset);
    }
    tr_h5_close(trainer);
    return status;
}
