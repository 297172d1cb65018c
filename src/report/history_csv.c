/* history_csv.c -- history.csv, rewritten as a whole after every epoch; see trainer/history.h. */
#include <stdio.h>
#include <stdlib.h>

#include "file.h"
#include "history_columns.h"
#include "trainer/history.h"

static void print(FILE *out, const tr_history *history)
{
    tr_history_column columns[TR_MAX_COLUMNS];
    const int n = tr_history_reported_columns(columns, history);
    for (int k = 0; k < n; k++)
        fprintf(out, "%s%s", columns[k].name, k + 1 < n ? "," : "\n");
    for (int64_t i = 0; i < history->n; i++)
        for (int k = 0; k < n; k++) {
            const double value = tr_history_value(&columns[k], &history->epochs[i]);
            if (columns[k].whole)
                fprintf(out, "%.0f", value);
            else
                fprintf(out, "%.*g", columns[k].digits, value);
            fputs(k + 1 < n ? "," : "\n", out);
        }
}

tr_status tr_history_write_csv(const tr_history *history, const char *path, tr_error *err)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (out == NULL)
        return tr_out_of_memory(err, NULL);
    print(out, history);
    if (fclose(out) != 0) {
        free(text);
        return tr_out_of_memory(err, NULL);
    }
    const tr_status status = tr_file_write(path, text, n, err);
    free(text); /* open_memstream's own */
    return status;
}
