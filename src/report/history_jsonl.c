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
#include "trainer/history.h"

static int add_number(json_t *line, const char *prefix, const char *name, double value)
{
    char key[128];
    snprintf(key, sizeof key, "%s%s", prefix, name);
    return json_object_set_new(line, key, isfinite(value) ? json_real(value) : json_null());
}

static int add_metrics(json_t *line, const tr_history *history, const char *prefix,
                       const tr_metrics *metrics)
{
    int bad = add_number(line, prefix, "loss", metrics->loss);
    for (int i = 0; i < history->n_metrics; i++)
        bad |= add_number(line, prefix, history->names[i], metrics->values[i]);
    return bad;
}

static int print_line(FILE *out, const tr_history *history, const tr_epoch *epoch)
{
    json_t *line = json_object();
    int bad = json_object_set_new(line, "epoch", json_integer((json_int_t)epoch->epoch));
    bad |= add_metrics(line, history, "", &epoch->train);
    if (history->validation)
        bad |= add_metrics(line, history, "val_", &epoch->validation);
    bad |= add_number(line, "", "learning_rate", epoch->learning_rate);
    bad |= add_number(line, "", "seconds", epoch->seconds);
    bad |= add_number(line, "", "images_per_s", epoch->images_per_s);
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
    for (int64_t i = 0; i < history->n && !bad; i++)
        bad = print_line(out, history, &history->epochs[i]);
    if (out != NULL && fclose(out) != 0)
        bad = 1;
    const tr_status status = bad ? tr_fail(err, TR_ERR_INTERNAL, "out of memory for %s", path)
                                 : tr_file_write(path, text, n, err);
    free(text); /* open_memstream's own */
    return status;
}
