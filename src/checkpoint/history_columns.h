/* history_columns.h -- the columns of a history, in order: one definition for the table in a
 * checkpoint and for the files of a run (history.csv, history.jsonl).
 *
 *     epoch, loss, <metrics>, samples, val_loss, val_<metrics>, val_samples, learning_rate,
 * seconds, validation_seconds, images_per_s
 */
#ifndef TR_HISTORY_COLUMNS_H
#define TR_HISTORY_COLUMNS_H

#include <stddef.h>

#include "trainer/history.h"
#include "trainer/model.h"

enum { TR_MAX_COLUMNS = 2 * TR_MAX_METRICS + 9 };

typedef struct tr_history_column {
    char name[64];
    size_t offset;   /* of the value in a tr_epoch: a double, or an int64_t where it is whole */
    bool whole;      /* a count */
    bool reported;   /* in the files of a run, too; the others are for a resume */
    bool validation; /* not in the files of a run without validation samples */
    int digits;      /* significant ones in the files of a run */
} tr_history_column;

/* Fills in the columns of a history whose metrics have these names; their number. */
int tr_history_columns(tr_history_column columns[TR_MAX_COLUMNS], const char *const *metrics,
                       int n_metrics);
int tr_model_history_columns(tr_history_column columns[TR_MAX_COLUMNS], const tr_model *model);

/* Those of the files of a run. */
int tr_history_reported_columns(tr_history_column columns[TR_MAX_COLUMNS],
                                const tr_history *history);

double tr_history_value(const tr_history_column *column, const tr_epoch *epoch);

/* An epoch as a row of the n columns, and back. */
void tr_history_to_row(double *row, const tr_history_column *columns, int n, const tr_epoch *epoch);
void tr_history_from_row(tr_epoch *epoch, const tr_history_column *columns, int n,
                         const double *row);

#endif
