/* predictions.c -- see predictions.h. */
#include "predictions.h"

#include <stdlib.h>
#include <string.h>

#include "csv_cell.h"
#include "file.h"
#include "h5_write.h"
#include "mem.h"

enum { NEXT_SHOWN = 2 }; /* classes that a sentence names besides the first */

static const float *row_of(const tr_predictions *predictions, int64_t i)
{
    return predictions->values + i * tr_model_n_classes(predictions->model);
}

/* ---- CSV ---- */

void tr_predictions_print_csv(FILE *out, const tr_predictions *predictions)
{
    const int64_t width = tr_model_n_classes(predictions->model);
    const bool classes = tr_model_predicts_classes(predictions->model);
    const char *letter = tr_model_gives_probabilities(predictions->model) ? "p" : "y";
    fprintf(out, "%s%s", predictions->files == NULL ? "sample" : "file", classes ? ",class" : "");
    for (int64_t j = 0; j < width; j++) /* one output is the probability of class 1 */
        fprintf(out, ",%s%lld", letter, (long long)(classes && width == 1 ? 1 : j));
    fputc('\n', out);
    for (int64_t i = 0; i < predictions->n; i++) {
        const float *row = row_of(predictions, i);
        if (predictions->files == NULL)
            fprintf(out, "%lld", (long long)i);
        else
            tr_print_csv_cell(out, predictions->files[i]);
        if (classes)
            fprintf(out, ",%lld", (long long)tr_model_class_of(predictions->model, row));
        for (int64_t j = 0; j < width; j++)
            fprintf(out, ",%.9g", (double)row[j]); /* reads back to the same float */
        fputc('\n', out);
    }
}

/* ---- sentences ---- */

/* The likeliest class that comes after `last` (by value, then by number); -1: none. */
static int64_t next_likely(const float *row, int64_t width, int64_t last)
{
    int64_t best = -1;
    for (int64_t j = 0; j < width; j++) {
        const bool after = row[j] < row[last] || (row[j] == row[last] && j > last);
        if (after && (best < 0 || row[j] > row[best]))
            best = j;
    }
    return best;
}

static void print_classes(FILE *out, const tr_predictions *predictions, const float *row)
{
    const int64_t width = tr_model_n_classes(predictions->model);
    const bool probabilities = tr_model_gives_probabilities(predictions->model);
    int64_t class = tr_model_class_of(predictions->model, row);
    fprintf(out, "class %lld", (long long)class);
    if (width == 1) {
        const double p = (double)row[0];
        fprintf(out, " (%.4f)", probabilities && class == 0 ? 1.0 - p : p);
        return;
    }
    fprintf(out, " (%.4f)", (double)row[class]);
    for (int k = 0; k < NEXT_SHOWN; k++) {
        class = next_likely(row, width, class);
        if (class < 0)
            return;
        fprintf(out, "%s %lld (%.4f)", k == 0 ? ", then" : ",", (long long)class,
                (double)row[class]);
    }
}

void tr_predictions_print_lines(FILE *out, const tr_predictions *predictions)
{
    const int64_t width = tr_model_n_classes(predictions->model);
    for (int64_t i = 0; i < predictions->n; i++) {
        const float *row = row_of(predictions, i);
        if (predictions->files == NULL)
            fprintf(out, "%lld: ", (long long)i);
        else
            fprintf(out, "%s: ", predictions->files[i]);
        if (tr_model_predicts_classes(predictions->model))
            print_classes(out, predictions, row);
        else
            for (int64_t j = 0; j < width; j++)
                fprintf(out, "%s%.6g", j == 0 ? "" : ", ", (double)row[j]);
        fputc('\n', out);
    }
}

/* ---- files ---- */

static tr_status write_csv(const char *path, const tr_predictions *predictions, tr_error *err)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (out == NULL)
        return tr_out_of_memory(err, NULL);
    tr_predictions_print_csv(out, predictions);
    const bool complete = fclose(out) == 0;
    const tr_status status =
        complete ? tr_file_write(path, text, n, err) : tr_out_of_memory(err, NULL);
    free(text); /* open_memstream's own */
    return status;
}

static tr_status fill_h5(const void *user, hid_t file, tr_error *err)
{
    const tr_predictions *predictions = user;
    const int64_t dims[2] = {predictions->n, tr_model_n_classes(predictions->model)};
    TR_TRY(tr_h5_write_dataset(file, "predictions", 2, dims, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT,
                               predictions->values, err));
    if (!tr_model_predicts_classes(predictions->model))
        return TR_OK;
    int32_t *classes = tr_alloc((size_t)predictions->n, sizeof *classes);
    if (classes == NULL)
        return tr_out_of_memory(err, NULL);
    for (int64_t i = 0; i < predictions->n; i++)
        classes[i] = (int32_t)tr_model_class_of(predictions->model, row_of(predictions, i));
    const tr_status status = tr_h5_write_dataset(file, "classes", 1, dims, H5T_STD_I32LE,
                                                 H5T_NATIVE_INT32, classes, err);
    tr_free(classes);
    return status;
}

tr_status tr_predictions_write(const char *path, const tr_predictions *predictions, tr_error *err)
{
    const char *ending = strrchr(path, '.');
    if (ending != NULL && strcmp(ending, ".csv") == 0)
        return write_csv(path, predictions, err);
    if (ending != NULL && (strcmp(ending, ".h5") == 0 || strcmp(ending, ".hdf5") == 0))
        return tr_h5_write_file(path, fill_h5, predictions, err);
    return tr_fail(err, TR_ERR_CONFIG,
                   "--output %s: the ending says the format; allowed: .csv, .h5, .hdf5", path);
}
