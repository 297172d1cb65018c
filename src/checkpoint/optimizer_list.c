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
    int optimizer;    /* whose variables are being added */
    char prefix[80];  /* of their names */
    tr_variable *items;
    size_t n;
} variable_list;

static tr_variable *add(variable_list *list, tr_variable_kind kind, const char *name)
{
    tr_variable *item = &list->items[list->n++];
    item->kind = kind;
    item->optimizer = list->optimizer;
    snprintf(item->name, sizeof item->name, "%s/%s", list->prefix, name);
    return item;
}

static void add_slot(variable_list *list, const tr_slot *slot, int number, int weight)
{
    const tr_weight_info info = tr_model_weight(list->snapshot->model, weight);
    char name[160];
    snprintf(name, sizeof name, "%s_%s_%s", info.layer, info.name, slot->name);
    tr_variable *item = add(list, TR_VARIABLE_SLOT, name);
    item->slot = number;
    item->weight = weight;
}

/* Slots that Keras makes together, weight by weight: each common one, the optimizer's own, each
 * that is apart. */
enum { COMMON, OWN = COMMON + 2, APART };

static int run_of(const tr_slot *slot, int number, int first_own)
{
    return number < first_own ? COMMON + number : slot->apart ? APART + number : OWN;
}

static void add_slots(variable_list *list, int run)
{
    const tr_model *model = list->snapshot->model;
    const tr_optimizer *optimizer = tr_model_optimizers(model)->items[list->optimizer];
    tr_slot slots[TR_MAX_ALL_SLOTS];
    for (int i = 0; i < tr_model_n_weights(model); i++) {
        const int weight = list->order[i], n = tr_snapshot_slots(list->snapshot, weight, slots);
        if (tr_model_optimizer_of(model, weight) != list->optimizer)
            continue;
        for (int k = 0; k < n; k++)
            if (run_of(&slots[k], k, tr_optimizer_first_own(optimizer)) == run)
                add_slot(list, &slots[k], k, weight);
    }
}

static void add_optimizer(variable_list *list, int number)
{
    const tr_optimizer *optimizer = tr_model_optimizers(list->snapshot->model)->items[number];
    list->optimizer = number;
    if (optimizer->group == NULL)
        snprintf(list->prefix, sizeof list->prefix, "%s", optimizer->ops->name);
    else
        snprintf(list->prefix, sizeof list->prefix, "optimizer.%s", optimizer->group);
    add(list, TR_VARIABLE_ITERATION, "iteration");
    if (optimizer->schedule.ops == NULL)
        add(list, TR_VARIABLE_LEARNING_RATE, "learning_rate");
    for (int run = COMMON; run < APART + TR_MAX_ALL_SLOTS; run++)
        add_slots(list, run);
    if (optimizer->ops->product != NULL)
        add(list, TR_VARIABLE_PRODUCT, "variable");
}

static void add_all(variable_list *list)
{
    const int n = tr_model_optimizers(list->snapshot->model)->n;
    if (n > 1) {
        list->optimizer = -1;
        snprintf(list->prefix, sizeof list->prefix, "multi_optimizer");
        add(list, TR_VARIABLE_ITERATION, "iteration");
        add(list, TR_VARIABLE_LEARNING_RATE, "learning_rate");
    }
    for (int i = 1; i < n; i++)
        add_optimizer(list, i);
    add_optimizer(list, 0);
}

tr_status tr_optimizer_list(tr_variable **out, size_t *n, const tr_snapshot *snapshot,
                            tr_error *err)
{
    const size_t n_slots = (size_t)(snapshot->n_slots * tr_model_n_weights(snapshot->model));
    const size_t n_scalars = 2 + 3 * (size_t)tr_model_optimizers(snapshot->model)->n;
    int *order = tr_keras_weight_order(snapshot->model);
    variable_list list = {.snapshot = snapshot,
                          .order = order,
                          .items = tr_alloc(n_slots + n_scalars, sizeof *list.items)};
    if (list.items == NULL || order == NULL) {
        tr_free(list.items);
        tr_free(order);
        return tr_out_of_memory(err, NULL);
    }
    add_all(&list);
    tr_free(order);
    *out = list.items;
    *n = list.n;
    return TR_OK;
}

tr_status tr_optimizer_scalars(const tr_snapshot *snapshot, int optimizer, float *learning_rate,
                               float *product, tr_error *err)
{
    *learning_rate = 0.0f; /* MultiOptimizer's */
    *product = 1.0f;
    if (optimizer < 0)
        return TR_OK;
    tr_optimizer *copy = tr_optimizer_copy(tr_model_optimizers(snapshot->model)->items[optimizer]);
    if (copy == NULL)
        return tr_out_of_memory(err, NULL);
    const int64_t t = snapshot->progress.iterations;
    *learning_rate = (float)tr_optimizer_learning_rate(copy, t);
    const int64_t each = copy->gradient_accumulation_steps, updates = t / each;
    if (copy->ops->product != NULL && updates > 0) {
        tr_optimizer_begin(copy, updates * each - 1); /* the step of the last update */
        *product = (float)copy->ops->product(copy);
    }
    tr_free(copy);
    return TR_OK;
}

/* ---- writing ---- */

static tr_status write_slot(hid_t group, const char *name, const tr_snapshot *snapshot,
                            const tr_variable *item, tr_error *err)
{
    tr_slot slots[TR_MAX_ALL_SLOTS];
    tr_snapshot_slots(snapshot, item->weight, slots);
    return tr_h5_write_dataset(
        group, name, slots[item->slot].n_dims, slots[item->slot].dims, H5T_IEEE_F32LE,
        H5T_NATIVE_FLOAT,
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
    TR_TRY(tr_optimizer_scalars(snapshot, item->optimizer, &learning_rate, &product, err));
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

/* Takes what is not of that optimizer out of the list. */
static size_t keep_optimizer(tr_variable *items, size_t n, int optimizer)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (optimizer == TR_ALL_OPTIMIZERS || items[i].optimizer == optimizer)
            items[kept++] = items[i];
    return kept;
}

/* Adafactor's, of vectors, that nothing uses. */
static bool is_scalar_slot(const tr_snapshot *snapshot, const tr_variable *item)
{
    tr_slot slots[TR_MAX_ALL_SLOTS];
    return item->kind == TR_VARIABLE_SLOT &&
           tr_snapshot_slots(snapshot, item->weight, slots) > item->slot &&
           slots[item->slot].n_dims == 0;
}

/* Takes what Keras 2 does not keep out of the list. */
static size_t keep_keras2(const tr_snapshot *snapshot, tr_variable *items, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (items[i].kind != TR_VARIABLE_LEARNING_RATE && items[i].kind != TR_VARIABLE_PRODUCT &&
            !is_scalar_slot(snapshot, &items[i]))
            items[kept++] = items[i];
    return kept;
}

tr_status tr_optimizer_list_write(hid_t group, const tr_snapshot *snapshot, int optimizer,
                                  tr_variables_layout layout, tr_error *err)
{
    tr_variable *items = NULL;
    const bool numbered = layout == TR_VARIABLES_NUMBERED;
    size_t n = 0;
    TR_TRY(tr_optimizer_list(&items, &n, snapshot, err));
    n = keep_optimizer(items, n, optimizer);
    if (layout == TR_VARIABLES_KERAS2)
        n = keep_keras2(snapshot, items, n);
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
    const tr_status status =
        tr_optimizer_list_write(group, snapshot, TR_ALL_OPTIMIZERS, layout, err);
    tr_h5_close(group);
    return status;
}
