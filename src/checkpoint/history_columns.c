/* history_columns.c -- see history_columns.h. */
#include "history_columns.h"

#include <math.h>
#include <stdio.h>

typedef struct column_list {
    tr_history_column *columns;
    int n;
} column_list;

static tr_history_column *add(column_list *list, const char *prefix, const char *name,
                              size_t offset)
{
    tr_history_column *column = &list->columns[list->n++];
    *column = (tr_history_column){.offset = offset, .reported = true, .digits = 9};
    snprintf(column->name, sizeof column->name, "%s%.50s", prefix, name);
    return column;
}

/* Loss and metrics of one part, whose tr_metrics lies at `offset`. */
static void add_part(column_list *list, bool validation, size_t offset, const char *const *metrics,
                     int n_metrics)
{
    const char *prefix = validation ? "val_" : "";
    const int first = list->n;
    add(list, prefix, "loss", offset + offsetof(tr_metrics, loss));
    for (int i = 0; i < n_metrics; i++)
        add(list, prefix, metrics[i],
            offset + offsetof(tr_metrics, values) + (size_t)i * sizeof(double));
    tr_history_column *samples = add(list, prefix, "samples", offset + offsetof(tr_metrics, n));
    samples->whole = true;
    samples->reported = false;
    for (int i = first; i < list->n; i++)
        list->columns[i].validation = validation;
}

int tr_history_columns(tr_history_column columns[TR_MAX_COLUMNS], const char *const *metrics,
                       int n_metrics)
{
    column_list list = {.columns = columns};
    add(&list, "", "epoch", offsetof(tr_epoch, epoch))->whole = true;
    add_part(&list, false, offsetof(tr_epoch, train), metrics, n_metrics);
    add_part(&list, true, offsetof(tr_epoch, validation), metrics, n_metrics);
    add(&list, "", "learning_rate", offsetof(tr_epoch, learning_rate));
    add(&list, "", "seconds", offsetof(tr_epoch, seconds))->digits = 6;
    add(&list, "", "validation_seconds", offsetof(tr_epoch, validation_seconds))->reported = false;
    add(&list, "", "images_per_s", offsetof(tr_epoch, images_per_s))->digits = 6;
    return list.n;
}

int tr_model_history_columns(tr_history_column columns[TR_MAX_COLUMNS], const tr_model *model)
{
    const char *metrics[TR_MAX_METRICS];
    const int n = tr_model_n_metrics(model);
    for (int i = 0; i < n; i++)
        metrics[i] = tr_model_metric(model, i).name;
    return tr_history_columns(columns, metrics, n);
}

int tr_history_reported_columns(tr_history_column columns[TR_MAX_COLUMNS],
                                const tr_history *history)
{
    const int n = tr_history_columns(columns, history->names, history->n_metrics);
    int n_reported = 0;
    for (int i = 0; i < n; i++)
        if (columns[i].reported && (history->validation || !columns[i].validation))
            columns[n_reported++] = columns[i];
    return n_reported;
}

/* ---- values ---- */

double tr_history_value(const tr_history_column *column, const tr_epoch *epoch)
{
    const void *value = (const char *)epoch + column->offset;
    return column->whole ? (double)*(const int64_t *)value : *(const double *)value;
}

void tr_history_to_row(double *row, const tr_history_column *columns, int n, const tr_epoch *epoch)
{
    for (int i = 0; i < n; i++)
        row[i] = tr_history_value(&columns[i], epoch);
}

void tr_history_from_row(tr_epoch *epoch, const tr_history_column *columns, int n,
                         const double *row)
{
    for (int i = 0; i < n; i++) {
        void *value = (char *)epoch + columns[i].offset;
        if (columns[i].whole) /* which a damaged file may have beyond all integers */
            *(int64_t *)value = fabs(row[i]) < 0x1p53 ? (int64_t)row[i] : -1;
        else
            *(double *)value = row[i];
    }
}
