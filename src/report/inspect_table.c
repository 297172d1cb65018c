/* inspect_table.c -- see inspect_table.h. */
#include "inspect_table.h"

#include <string.h>

enum { WIDTH = 96, COLUMNS = 5, CELL = 256 };

typedef struct row {
    char cell[COLUMNS][CELL];
} row;

/* ---- text from the file ---- */

/* A name may hold what moves the cursor or worse; bytes of UTF-8 stay. */
static void copy_printable(char *dst, size_t n, const char *text)
{
    size_t i = 0;
    for (; text[i] != '\0' && i + 1 < n; i++)
        dst[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
    dst[i] = '\0';
}

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

/* ---- a table ---- */

typedef struct table {
    int n_columns;
    size_t width[COLUMNS];
} table;

static void widen(table *self, const row *line)
{
    for (int i = 0; i < self->n_columns; i++)
        if (strlen(line->cell[i]) > self->width[i])
            self->width[i] = strlen(line->cell[i]);
}

static void print_row(FILE *out, const table *self, const row *line)
{
    int last = self->n_columns - 1;
    while (last > 0 && line->cell[last][0] == '\0')
        last--;
    for (int i = 0; i < last; i++)
        fprintf(out, " %-*s", (int)self->width[i] + 1, line->cell[i]);
    fprintf(out, " %s\n", line->cell[last]);
}

static void rule(FILE *out, const table *self, char c)
{
    size_t n = 0;
    for (int i = 0; i < self->n_columns; i++)
        n += self->width[i] + 2;
    for (size_t i = 0; i < n; i++)
        fputc(c, out);
    fputc('\n', out);
}

/* The cells of row number i, or false behind the last. */
typedef bool (*row_maker)(row *line, const void *user, int64_t i);

/* Two passes, so that no row has to be kept: widths, then lines. */
static void print_table(FILE *out, const row *head, int n_columns, row_maker make, const void *user)
{
    table self = {.n_columns = n_columns};
    row line;
    widen(&self, head);
    for (int64_t i = 0; make(&line, user, i); i++)
        widen(&self, &line);
    rule(out, &self, '_');
    print_row(out, &self, head);
    rule(out, &self, '=');
    for (int64_t i = 0; make(&line, user, i); i++)
        print_row(out, &self, &line);
    rule(out, &self, '=');
}

/* ---- datasets ---- */

typedef struct view {
    const tr_inspection *found;
    const tr_checkpoint_outline *outline;
    const tr_inspect_item *weights[TR_OUTLINE_ENTRIES]; /* of each entry; NULL: none there */
    const tr_inspect_item *others[TR_INSPECT_ITEMS];    /* that are no weights */
    int64_t n_others, n_parameters;
} view;

static void arrange(view *self)
{
    for (int64_t k = 0; k < self->found->n_items; k++) {
        const tr_inspect_item *item = &self->found->items[k];
        bool is_weight = false;
        for (int64_t i = 0; self->outline != NULL && i < self->outline->n_entries; i++)
            if (strcmp(self->outline->entries[i].path, item->path) == 0) {
                self->weights[i] = item;
                is_weight = true;
            }
        if (is_weight)
            self->n_parameters += item->n;
        else
            self->others[self->n_others++] = item;
    }
}

static bool dataset_row(row *line, const void *user, int64_t i)
{
    const view *self = user;
    if (i >= self->n_others)
        return false;
    const tr_inspect_item *item = self->others[i];
    copy_printable(line->cell[0], CELL, item->path);
    copy_printable(line->cell[1], CELL, item->type);
    describe_shape(line->cell[2], CELL, item);
    describe_values(line->cell[3], CELL, item);
    copy_printable(line->cell[4], CELL, item->packing);
    return true;
}

static bool weight_row(row *line, const void *user, int64_t i)
{
    const view *self = user;
    if (i >= self->outline->n_entries)
        return false;
    const tr_outline_entry *entry = &self->outline->entries[i];
    const tr_inspect_item *item = self->weights[i];
    *line = (row){0};
    /* A layer's name stands once, before its first weight. */
    if (i == 0 || strcmp(entry->layer, self->outline->entries[i - 1].layer) != 0)
        copy_printable(line->cell[0], CELL, entry->layer);
    if (entry->weight[0] == '\0')
        return true;
    copy_printable(line->cell[1], CELL, entry->weight);
    if (item == NULL) {
        snprintf(line->cell[4], CELL, "MISSING");
        return true;
    }
    copy_printable(line->cell[2], CELL, item->type);
    describe_shape(line->cell[3], CELL, item);
    describe_values(line->cell[4], CELL, item);
    return true;
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
    copy_printable(name, sizeof name, item->path);
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
        copy_printable(name, sizeof name, attribute->name);
        copy_printable(value, sizeof value, attribute->value);
        fprintf(out, "  %s%s%s = %s\n", attribute->group, attribute->group[0] == '\0' ? "" : "/",
                name, value);
    }
}

void tr_inspect_print(FILE *out, const char *path, const tr_inspection *found,
                      const tr_checkpoint_outline *outline)
{
    static const row dataset_head = {{"Dataset", "Type", "Shape", "Values", "Storage"}};
    static const row weight_head = {{"Layer", "Weight", "Type", "Shape", "Values"}};
    view self = {.found = found, .outline = outline};
    const int64_t n = found->n_items + found->n_unlisted;
    arrange(&self);
    if (outline != NULL)
        fprintf(out, "%s: a checkpoint, %lld layers, %lld parameters\n", path,
                (long long)outline->n_layers, (long long)self.n_parameters);
    else
        fprintf(out, "%s: %lld dataset%s\n", path, (long long)n, n == 1 ? "" : "s");
    print_attributes(out, found);
    if (outline != NULL)
        print_table(out, &weight_head, 5, weight_row, &self);
    if (self.n_others > 0)
        print_table(out, &dataset_head, 5, dataset_row, &self);
    if (found->n_unlisted > 0)
        fprintf(out, "and %lld datasets more\n", (long long)found->n_unlisted);
    for (int64_t i = 0; i < found->n_items; i++)
        if (found->items[i].n_classes > 0)
            print_classes(out, found, &found->items[i]);
}
