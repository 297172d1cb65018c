/* history_csv.c -- history.csv, rewritten as a whole after every epoch; see trainer/history.h. */
#include <stdio.h>
#include <stdlib.h>

#include "file.h"
#include "trainer/history.h"

static void print_head(FILE *out, const tr_history *history, const char *prefix)
{
    fprintf(out, ",%sloss", prefix);
    for (int i = 0; i < history->n_metrics; i++)
        fprintf(out, ",%s%s", prefix, history->names[i]);
}

static void print_metrics(FILE *out, const tr_history *history, const tr_metrics *metrics)
{
    fprintf(out, ",%.9g", metrics->loss);
    for (int i = 0; i < history->n_metrics; i++)
        fprintf(out, ",%.9g", metrics->values[i]);
}

static void print(FILE *out, const tr_history *history)
{
    fputs("epoch", out);
    print_head(out, history, "");
    if (history->validation)
        print_head(out, history, "val_");
    fputs(",learning_rate,seconds,images_per_s\n", out);
    for (int64_t i = 0; i < history->n; i++) {
        const tr_epoch *e = &history->epochs[i];
        fprintf(out, "%lld", (long long)e->epoch);
        print_metrics(out, history, &e->train);
        if (history->validation)
            print_metrics(out, history, &e->validation);
        fprintf(out, ",%.9g,%.6g,%.6g\n", e->learning_rate, e->seconds, e->images_per_s);
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
