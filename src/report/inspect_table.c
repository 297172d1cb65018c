/* inspect_table.c -- see inspect_table.h. */
#include "inspect_table.h"

#include <string.h>

#include "text_table.h"
#include "utf8.h"

enum { WIDTH = 96, CELL = TR_TABLE_CELL };

typedef tr_table_row row;

/* ---- text from the file ---- */

static void describe_shape(char *text, size_t n, const tr_inspect_item *item)
{
    size_t used = (size_t)snprintf(text, n, "%s", item->rank == 0 ? "" : "[");
    for (int i = 0; i < item->rank && used < n; i++)
        used += (size_t)snprintf(text + used, n - used, "%s%lld%s", i > 0 ? ", " : "",
                                 (long long)item->dims[i], i + 1 == item->rank ? "]" : "");
}

static void describe_values(char *text, size_t n, const tr_inspect_item *item)
{
    size_t used = 0;
    text[0] = '\0';
    if (item->fault[0] != '\0')
        snprintf(text, n, "UNREADABLE: %s", item->fault);
    else if (item->n == 0)
        snprintf(text, n, "empty");
    else if (item->has_range && item->rank == 0)
        item->is_float ? snprintf(text, n, "%.9g", item->low)
                       : snprintf(text, n, "%lld", (long long)item->min);
    else if (item->has_range && !item->is_float)
        used = (size_t)snprintf(text, n, "%lld .. %lld%s", (long long)item->min,
                                (long long)item->max, item->max == INT64_MAX ? " or more" : "");
    else if (item->has_range)
        used =
            (size_t)snprintf(text, n, "%.4g .. %.4g, mean %.4g", item->low, item->high, item->mean);
    if (item->fault[0] != '\0')
        return;
    if (item->n_classes > 0 && used < n)
        snprintf(text + used, n - used, ", %lld class%s", (long long)item->n_classes,
                 item->n_classes == 1 ? "" : "es");
    const char *before = item->has_range ? ", " : "";
    used = strlen(text);
    if (item->n_nan > 0 && used < n)
        used +=
            (size_t)snprintf(text + used, n - used, "%s%lld NaN", before, (long long)item->n_nan);
    if (item->n_infinite > 0 && used < n)
        snprintf(text + used, n - used, "%s%lld infinite", item->n_nan > 0 ? ", " : before,
                 (long long)item->n_infinite);
}

/* ---- datasets ---- */

typedef struct view {
    const tr_inspection *found;
    const tr_checkpoint_outline *outline;
    const tr_inspect_item *weights[TR_OUTLINE_ENTRIES]; /* of each entry; NULL: none there */
    const tr_inspect_item *variables[TR_OUTLINE_ENTRIES];
    const tr_inspect_item *others[TR_INSPECT_ITEMS]; /* that are no weights */
    int64_t n_others, n_parameters;
} view;

/* Notes the dataset beside the entry that is of it; false: none is. */
static bool assign(const tr_inspect_item **items, const tr_outline_list *list,
                   const tr_inspect_item *item)
{
    bool found = false;
    for (int64_t i = 0; i < list->n; i++)
        if (strcmp(list->entries[i].path, item->path) == 0) {
            items[i] = item;
            found = true;
        }
    return found;
}

/* It stands in another table: the optimizer's variables, the history. */
static bool is_told(view *self, const tr_inspect_item *item)
{
    const tr_checkpoint_outline *outline = self->outline;
    return outline != NULL &&
           (assign(self->variables, &outline->variables, item) ||
            (outline->history.n_epochs > 0 && strcmp(item->path, "trainer/history") == 0));
}

static void arrange(view *self)
{
    for (int64_t k = 0; k < self->found->n_items; k++) {
        const tr_inspect_item *item = &self->found->items[k];
        if (self->outline != NULL && assign(self->weights, &self->outline->weights, item))
            self->n_parameters += item->n;
        else if (!is_told(self, item))
            self->others[self->n_others++] = item;
    }
}

static bool dataset_row(row *line, const void *user, int64_t i)
{
    const view *self = user;
    if (i >= self->n_others)
        return false;
    const tr_inspect_item *item = self->others[i];
    tr_utf8_clean(line->cell[0], CELL, item->path);
    tr_utf8_clean(line->cell[1], CELL, item->type);
    describe_shape(line->cell[2], CELL, item);
    describe_values(line->cell[3], CELL, item);
    tr_utf8_clean(line->cell[4], CELL, item->packing);
    return true;
}

/* Of a name without its dataset. */
static const char *missing(const view *self)
{
    return self->found->n_unlisted > 0 ? "not looked at" : "MISSING";
}

static bool weight_row(row *line, const void *user, int64_t i)
{
    const view *self = user;
    if (i >= self->outline->weights.n)
        return false;
    const tr_outline_entry *entry = &self->outline->weights.entries[i];
    const tr_inspect_item *item = self->weights[i];
    *line = (row){0};
    /* A layer's name stands once, before its first weight. */
    if (i == 0 || strcmp(entry->layer, self->outline->weights.entries[i - 1].layer) != 0)
        tr_utf8_clean(line->cell[0], CELL, entry->layer);
    if (entry->weight[0] == '\0')
        return true;
    tr_utf8_clean(line->cell[1], CELL, entry->weight);
    if (item == NULL) {
        snprintf(line->cell[4], CELL, "%s", missing(self));
        return true;
    }
    tr_utf8_clean(line->cell[2], CELL, item->type);
    describe_shape(line->cell[3], CELL, item);
    describe_values(line->cell[4], CELL, item);
    return true;
}

static bool variable_row(row *line, const void *user, int64_t i)
{
    const view *self = user;
    if (i >= self->outline->variables.n)
        return false;
    const tr_inspect_item *item = self->variables[i];
    *line = (row){0};
    tr_utf8_clean(line->cell[0], CELL, self->outline->variables.entries[i].path);
    if (item == NULL) {
        snprintf(line->cell[3], CELL, "%s", missing(self));
        return true;
    }
    tr_utf8_clean(line->cell[1], CELL, item->type);
    describe_shape(line->cell[2], CELL, item);
    describe_values(line->cell[3], CELL, item);
    return true;
}

/* ---- the history ---- */

static bool epoch_row(row *line, const void *user, int64_t i)
{
    const tr_outline_history *history = user;
    if (i >= history->n_epochs)
        return false;
    for (int c = 0; c < history->n_columns; c++)
        snprintf(line->cell[c], CELL, "%.6g", history->values[i * history->n_columns + c]);
    return true;
}

static void print_history(FILE *out, const tr_outline_history *history)
{
    static row head;
    if (history->n_epochs == 0)
        return;
    for (int c = 0; c < history->n_columns; c++)
        tr_utf8_clean(head.cell[c], CELL, history->columns[c]);
    tr_print_table(out, &head, history->n_columns, epoch_row, history);
}

/* ---- classes ---- */

static int digits(int64_t value)
{
    return snprintf(NULL, 0, "%lld", (long long)value);
}

/* "class: samples" in columns. */
static void print_classes(FILE *out, const tr_inspection *found, const tr_inspect_item *item)
{
    const tr_inspect_class *classes = &found->classes[item->first_class];
    char name[CELL];
    int value_width = 1, n_width = 1;
    for (int64_t i = 0; i < item->n_classes; i++) {
        value_width =
            value_width > digits(classes[i].value) ? value_width : digits(classes[i].value);
        n_width = n_width > digits(classes[i].n) ? n_width : digits(classes[i].n);
    }
    const int cell = value_width + n_width + 5;
    const int per_row = cell > WIDTH ? 1 : WIDTH / cell;
    tr_utf8_clean(name, sizeof name, item->path);
    fprintf(out, "\n%s, class: samples\n", name);
    for (int64_t i = 0; i < item->n_classes; i++)
        fprintf(out, "%s%*lld: %*lld%s", "   ", value_width, (long long)classes[i].value, n_width,
                (long long)classes[i].n,
                (i + 1) % per_row == 0 || i + 1 == item->n_classes ? "\n" : "");
}

/* ---- the whole ---- */

static void print_attributes(FILE *out, const tr_inspection *found)
{
    char name[CELL], value[CELL];
    for (int64_t i = 0; i < found->n_attributes; i++) {
        const tr_inspect_attribute *attribute = &found->attributes[i];
        tr_utf8_clean(name, sizeof name, attribute->name);
        tr_utf8_clean(value, sizeof value, attribute->value);
        fprintf(out, "  %s%s%s = %s\n", attribute->group, attribute->group[0] == '\0' ? "" : "/",
                name, value);
    }
}

/* Of the values as they are stored, where they were asked for. */
static void print_digests(FILE *out, const tr_inspection *found)
{
    char name[CELL];
    for (int64_t i = 0; i < found->n_items; i++) {
        if (found->items[i].digest[0] == '\0')
            continue;
        tr_utf8_clean(name, sizeof name, found->items[i].path);
        fprintf(out, "%s  %s\n", found->items[i].digest, name);
    }
}

static void print_title(FILE *out, const char *path, const view *self)
{
    const tr_checkpoint_outline *outline = self->outline;
    const int64_t n = self->found->n_items + self->found->n_unlisted;
    char name[CELL], class_name[CELL];
    if (outline == NULL) {
        fprintf(out, "%s: %lld dataset%s\n", path, (long long)n, n == 1 ? "" : "s");
        return;
    }
    const bool all = outline->weights.n_unlisted == 0 && self->found->n_unlisted == 0;
    fprintf(out, "%s: a checkpoint, %lld layers, %s%lld parameters\n", path,
            (long long)outline->n_layers, all ? "" : "at least ", (long long)self->n_parameters);
    tr_utf8_clean(name, sizeof name, outline->model_name);
    tr_utf8_clean(class_name, sizeof class_name, outline->model_class);
    if (class_name[0] != '\0')
        fprintf(out, "  model \"%s\" (%s)\n", name, class_name);
    if (outline->digest_stored[0] != '\0')
        fprintf(out, "  weights have the digest %s, %s\n", outline->digest,
                tr_checkpoint_outline_damaged(outline) ? "NOT THE STORED ONE" : "the stored one");
}

static void print_more(FILE *out, int64_t n, const char *what)
{
    if (n > 0)
        fprintf(out, "and %lld %s more\n", (long long)n, what);
}

void tr_inspect_print(FILE *out, const char *path, const tr_inspection *found,
                      const tr_checkpoint_outline *outline)
{
    static const row dataset_head = {{"Dataset", "Type", "Shape", "Values", "Storage"}};
    static const row weight_head = {{"Layer", "Weight", "Type", "Shape", "Values"}};
    static const row variable_head = {{"Optimizer's variable", "Type", "Shape", "Values"}};
    const bool is_checkpoint = outline != NULL && (found->is_checkpoint || outline->weights.n > 0);
    view self = {.found = found, .outline = is_checkpoint ? outline : NULL};
    arrange(&self);
    print_title(out, path, &self);
    print_attributes(out, found);
    outline = self.outline;
    if (outline != NULL) {
        tr_print_table(out, &weight_head, 5, weight_row, &self);
        print_more(out, outline->weights.n_unlisted, "weights");
    }
    if (outline != NULL && outline->variables.n > 0) {
        tr_print_table(out, &variable_head, 4, variable_row, &self);
        print_more(out, outline->variables.n_unlisted, "variables");
    }
    if (outline != NULL)
        print_history(out, &outline->history);
    if (self.n_others > 0)
        tr_print_table(out, &dataset_head, 5, dataset_row, &self);
    print_more(out, found->n_unlisted, "datasets");
    print_digests(out, found);
    for (int64_t i = 0; i < found->n_items; i++)
        if (found->items[i].n_classes > 0)
            print_classes(out, found, &found->items[i]);
}
