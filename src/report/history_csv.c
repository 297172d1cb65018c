/* history_csv.c -- history.csv, rewritten as a whole after every epoch; see trainer/history.h. */
#include <stdio.h>
#include <stdlib.h>

#include "file.h"
#include "trainer/history.h"

static void print(FILE *out, const tr_history *history, bool accuracy, bool validation)
{
    fputs("epoch,loss", out);
    fputs(accuracy ? ",accuracy" : "", out);
    fputs(validation ? ",val_loss" : "", out);
    fputs(validation && accuracy ? ",val_accuracy" : "", out);
    fputs(",learning_rate,seconds,images_per_s\n", out);
    for (int64_t i = 0; i < history->n; i++) {
        const tr_epoch *e = &history->epochs[i];
        fprintf(out, "%lld,%.9g", (long long)e->epoch, e->train.loss);
        if (accuracy)
            fprintf(out, ",%.9g", e->train.accuracy);
        if (validation)
            fprintf(out, ",%.9g", e->validation.loss);
        if (validation && accuracy)
            fprintf(out, ",%.9g", e->validation.accuracy);
        fprintf(out, ",%.9g,%.6g,%.6g\n", e->learning_rate, e->seconds, e->images_per_s);
    }
}

tr_status tr_history_write_csv(const tr_history *history, const char *path, bool accuracy,
                               bool validation, tr_error *err)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (out == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory");
    print(out, history, accuracy, validation);
    if (fclose(out) != 0) {
        free(text);
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory");
    }
    const tr_status status = tr_file_write(path, text, n, err);
    free(text); /* open_memstream's own */
    return status;
}
