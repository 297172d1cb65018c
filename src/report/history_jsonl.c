/* history_jsonl.c -- history.jsonl, rewritten as a whole after every epoch; see trainer/history.h.
 *
 * Keys are those of Keras's history.history, in the order of history.csv. A metric that is not a
 * finite number, which JSON does not have, is null.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "file.h"
#include "history_columns.h"
#include "trainer/history.h"

static json_t *number(const tr_history_column *column, double value)
{
    if (column->whole)
        return json_integer((json_int_t)value);
    return isfinite(value) ? json_real(value) : json_null();
}

static int print_line(FILE *out, const tr_history_column *columns, int n, const tr_epoch *epoch)
{
    json_t *line = json_object();
    int bad = 0;
    for (int k = 0; k < n; k++)
        bad |= json_object_set_new(line, columns[k].name,
                                   number(&columns[k], tr_history_value(&columns[k], epoch)));
    if (bad == 0)
        bad = json_dumpf(line, out, JSON_REAL_PRECISION(9));
    json_decref(line);
    return bad | (fputc('\n', out) == EOF);
}

tr_status tr_history_write_jsonl(const tr_history *history, const char *path, tr_error *err)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    int bad = out == NULL;
    tr_history_column columns[TR_MAX_COLUMNS];
    const int n_columns = tr_history_reported_columns(columns, history);
    for (int64_t i = 0; i < history->n && !bad; i++)
        bad = print_line(out, columns, n_columns, &history->epochs[i]);
    if (out != NULL && fclose(out) != 0)
        bad = 1;
    const tr_status status = bad ? tr_fail(err, TR_ERR_INTERNAL, "out of memory for %s", path)
                                 : tr_file_write(path, text, n, err);
    free(text); /* open_memstream's own */
    return status;
}
