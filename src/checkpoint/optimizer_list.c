/* optimizer_list.c -- an optimizer's variables in Keras's order; see optimizer_list.h. */
#include "optimizer_list.h"

#include <stdio.h>
#include <string.h>

#include "h5_attributes.h"
#include "h5_write.h"
#include "keras_order.h"
#include "mem.h"

typedef struct variable_list {
    const tr_snapshot *snapshot;
    const int *order; /* of the weights */
    char prefix[64];  /* Keras's name of the optimizer object: "adam" */
    tr_variable *items;
    size_t n;
} variable_list;

static tr_variable *add(variable_list *list, tr_variable_kind kind, const char *name)
{
    tr_variable *item = &list->items[list->n++];
    item->kind = kind;
    snprintf(item->name, sizeof item->name, "%s/%s", list->prefix, name);
    return item;
}

static void add_slot(variable_list *list, int slot, int weight)
{
    const tr_weight_info info = tr_model_weight(list->snapshot->model, weight);
    char name[160];
    snprintf(name, sizeof name, "%s_%s_%s", info.layer, info.name,
             list->snapshot->slot_names[slot]);
    tr_variable *item = add(list, TR_VARIABLE_SLOT, name);
    item->slot = slot;
    item->weight = weight;
}

/* Slots first .. last - 1, weight by weight; what is not trained has none. */
static void add_slots(variable_list *list, int first, int last)
{
    const int n_weights = tr_model_n_weights(list->snapshot->model);
    for (int i = 0; i < n_weights; i++)
        for (int slot = first; slot < last; slot++)
            if (tr_model_weight(list->snapshot->model, list->order[i]).trained)
                add_slot(list, slot, list->order[i]);
}

static bool is_common(const char *slot)
{
    return strcmp(slot, "average") == 0 || strcmp(slot, "gradient_accumulator") == 0;
}

/* Runs of slots that Keras makes together: the common ones, the optimizer's own, each that is
 * apart. */
static void add_all_slots(variable_list *list)
{
    const tr_snapshot *snapshot = list->snapshot;
    for (int first = 0, last; first < snapshot->n_slots; first = last) {
        const bool common = is_common(snapshot->slot_names[first]);
        for (last = first + 1; last < snapshot->n_slots && !snapshot->slots_apart[first] &&
                               !snapshot->slots_apart[last] &&
                               is_common(snapshot->slot_names[last]) == common;)
            last++;
        add_slots(list, first, last);
    }
}

tr_status tr_optimizer_list(tr_variable **out, size_t *n, const tr_snapshot *snapshot,
                            tr_error *err)
{
    const tr_optimizer *optimizer = tr_model_optimizer(snapshot->model);
    const size_t n_slots = (size_t)(snapshot->n_slots * tr_model_n_weights(snapshot->model));
    int *order = tr_keras_weight_order(snapshot->model);
    variable_list list = {
        .snapshot = snapshot, .order = order, .items = tr_alloc(n_slots + 3, sizeof *list.items)};
    if (list.items == NULL || order == NULL) {
        tr_free(list.items);
        tr_free(order);
        return tr_out_of_memory(err, NULL);
    }
    snprintf(list.prefix, sizeof list.prefix, "%s", optimizer->ops->name);
    add(&list, TR_VARIABLE_ITERATION, "iteration");
    if (optimizer->schedule.ops == NULL)
        add(&list, TR_VARIABLE_LEARNING_RATE, "learning_rate");
    add_all_slots(&list);
    if (optimizer->ops->product != NULL)
        add(&list, TR_VARIABLE_PRODUCT, "variable");
    tr_free(order);
    *out = list.items;
    *n = list.n;
    return TR_OK;
}

tr_status tr_optimizer_scalars(const tr_snapshot *snapshot, float *learning_rate, float *product,
                               tr_error *err)
{
    tr_optimizer *optimizer = tr_optimizer_copy(tr_model_optimizer(snapshot->model));
    if (optimizer == NULL)
        return tr_out_of_memory(err, NULL);
    const int64_t t = snapshot->progress.iterations;
    *learning_rate = (float)tr_optimizer_learning_rate(optimizer, t);
    *product = 1.0f;
    const int64_t each = optimizer->gradient_accumulation_steps, updates = t / each;
    if (optimizer->ops->product != NULL && updates > 0) {
        tr_optimizer_begin(optimizer, updates * each - 1); /* the step of the last update */
        *product = (float)optimizer->ops->product(optimizer);
    }
    tr_free(optimizer);
    return TR_OK;
}

/* ---- writing ---- */

static tr_status write_slot(hid_t group, const char *name, const tr_snapshot *snapshot,
                            const tr_variable *item, tr_error *err)
{
    const tr_weight_info info = tr_model_weight(snapshot->model, item->weight);
    return tr_h5_write_dataset(
        group, name, info.n_dims, info.dims, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT,
        snapshot->slots[item->slot] + tr_snapshot_slot_offset(snapshot, item->weight), err);
}

static tr_status write_variable(hid_t group, const char *name, const tr_snapshot *snapshot,
                                const tr_variable *item, tr_error *err)
{
    float learning_rate, product;
    if (item->kind == TR_VARIABLE_SLOT)
        return write_slot(group, name, snapshot, item, err);
    if (item->kind == TR_VARIABLE_ITERATION)
        return tr_h5_write_dataset(group, name, 0, NULL, H5T_STD_I64LE, H5T_NATIVE_INT64,
                                   &snapshot->progress.iterations, err);
    TR_TRY(tr_optimizer_scalars(snapshot, &learning_rate, &product, err));
    return tr_h5_write_dataset(group, name, 0, NULL, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT,
                               item->kind == TR_VARIABLE_PRODUCT ? &product : &learning_rate, err);
}

static tr_status write_names(hid_t group, const tr_variable *items, size_t n, tr_error *err)
{
    const char **names = tr_alloc(n, sizeof *names);
    if (names == NULL)
        return tr_out_of_memory(err, NULL);
    for (size_t i = 0; i < n; i++)
        names[i] = items[i].name;
    const bool ok = tr_h5_write_names(group, "weight_names", names, n);
    tr_free(names);
    return ok ? TR_OK : tr_h5_write_failed(err, "weight_names");
}

/* Takes what Keras 2 does not keep out of the list. */
static size_t keep_keras2(tr_variable *items, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (items[i].kind != TR_VARIABLE_LEARNING_RATE && items[i].kind != TR_VARIABLE_PRODUCT)
            items[kept++] = items[i];
    return kept;
}

tr_status tr_optimizer_list_write(hid_t group, const tr_snapshot *snapshot,
                                  tr_variables_layout layout, tr_error *err)
{
    tr_variable *items = NULL;
    const bool numbered = layout == TR_VARIABLES_NUMBERED;
    size_t n = 0;
    TR_TRY(tr_optimizer_list(&items, &n, snapshot, err));
    if (layout == TR_VARIABLES_KERAS2)
        n = keep_keras2(items, n);
    tr_status status = numbered ? TR_OK : write_names(group, items, n, err);
    for (size_t i = 0; status == TR_OK && i < n; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        status = write_variable(group, numbered ? number : items[i].name, snapshot, &items[i], err);
    }
    tr_free(items);
    return status;
}

tr_status tr_optimizer_group_write(hid_t file, const tr_snapshot *snapshot,
                                   tr_variables_layout layout, tr_error *err)
{
    const hid_t group =
        H5Gcreate2(file, "optimizer_weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (group < 0)
        return tr_h5_write_failed(err, "optimizer_weights");
    const tr_status status = tr_optimizer_list_write(group, snapshot, layout, err);
    tr_h5_close(group);
    return status;
}
