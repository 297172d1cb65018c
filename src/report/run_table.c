/* run_table.c -- see run_table.h. */
#include "run_table.h"

#include <unistd.h>

#include "file.h"
#include "mem.h"
#include "series.h"

static void print_best(FILE *out, const tr_history *history, int metric)
{
    char name[128];
    const tr_series series = {history, metric, history->validation};
    const int64_t best = tr_series_best(&series);
    if (best < 0)
        return;
    snprintf(name, sizeof name, "%s%s", history->validation ? "val_" : "", tr_series_name(&series));
    fprintf(out, "best %-16s %.4f  epoch %lld\n", name, tr_series_value(&series, best),
            (long long)history->epochs[best].epoch);
}

void tr_print_run(FILE *out, const tr_history *history)
{
    double training_s = 0.0, validation_s = 0.0, images = 0.0;
    if (history->n < 2)
        return;
    for (int64_t i = 0; i < history->n; i++) {
        const tr_epoch *epoch = &history->epochs[i];
        training_s += epoch->seconds;
        validation_s += epoch->validation_seconds;
        images += epoch->images_per_s * epoch->seconds;
    }
    fputc('\n', out);
    print_best(out, history, TR_LOSS);
    if (history->n_metrics > 0)
        print_best(out, history, 0);
    fprintf(out, "%lld epochs in %.1f s: %.1f s training", (long long)history->n,
            training_s + validation_s, training_s);
    if (history->validation)
        fprintf(out, ", %.1f s validation", validation_s);
    fprintf(out, ", %.0f images/s on average\n", training_s > 0.0 ? images / training_s : 0.0);
}

void tr_print_folder(FILE *out, const char *folder)
{
    static const char *const names[] = {"last.h5",       "best.h5",         "history.csv",
                                        "history.jsonl", "history.svg",     "history.png",
                                        "confusion.csv", "evaluation.json", "config.ini"};
    const char *between = ": ";
    fprintf(out, "results in %s", folder);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = tr_path_join(folder, names[i]);
        if (path != NULL && access(path, F_OK) == 0) {
            fprintf(out, "%s%s", between, names[i]);
            between = ", ";
        }
        tr_free(path);
    }
    fputc('\n', out);
}
