/* predictions.c -- as CSV and as sentences; see predictions.h. */
#include "predictions.h"

#include <string.h>

#include "csv_cell.h"
#include "utf8.h"

enum { SHOWN = 3 }; /* classes that a sentence names */

static const float *row_of(const tr_predictions *predictions, int64_t i)
{
    return predictions->values + i * tr_model_n_classes(predictions->model);
}

int64_t tr_next_likely(const float *row, int64_t width, int64_t last)
{
    int64_t best = -1;
    for (int64_t j = 0; j < width; j++) {
        const bool after = last < 0 || row[j] < row[last] || (row[j] == row[last] && j > last);
        if (after && (best < 0 || row[j] > row[best]))
            best = j;
    }
    return best;
}

double tr_prediction_of(const tr_model *model, const float *row, int64_t class)
{
    if (tr_model_n_classes(model) > 1)
        return (double)row[class];
    const double p = (double)row[0];
    return tr_model_gives_probabilities(model) && class == 0 ? 1.0 - p : p;
}

/* ---- CSV ---- */

static bool has_names(const tr_predictions *predictions)
{
    return tr_model_legend(predictions->model)->n_classes > 0 &&
           tr_model_predicts_classes(predictions->model);
}

static void print_name(FILE *out, const tr_model *model, int64_t class)
{
    const char *name = tr_model_class_name(model, class);
    if (name != NULL)
        tr_print_csv_cell(out, name);
}

static void print_sample(FILE *out, const tr_predictions *predictions, int64_t i)
{
    if (predictions->files == NULL)
        fprintf(out, "%lld", (long long)(predictions->first + i));
    else
        tr_print_csv_cell(out, predictions->files[i]);
}

/* By name where there is one. */
static void print_label(FILE *out, const tr_predictions *predictions, int64_t i)
{
    if (predictions->labels == NULL)
        return;
    const int64_t label = predictions->labels[i];
    fputc(',', out);
    if (label >= 0 && tr_model_class_name(predictions->model, label) != NULL)
        print_name(out, predictions->model, label);
    else if (label >= 0)
        fprintf(out, "%lld", (long long)label);
}

static void print_ranks(FILE *out, const tr_predictions *predictions, int64_t i)
{
    const tr_model *model = predictions->model;
    const int64_t width = tr_model_n_classes(model);
    const float *row = row_of(predictions, i);
    int64_t class = tr_model_class_of(model, row);
    for (int rank = 1; rank <= predictions->top && class >= 0; rank++) {
        print_sample(out, predictions, i);
        fprintf(out, ",%d,%lld", rank, (long long)class);
        if (has_names(predictions)) {
            fputc(',', out);
            print_name(out, model, class);
        }
        fprintf(out, ",%.9g", tr_prediction_of(model, row, class));
        print_label(out, predictions, i);
        fputc('\n', out);
        class = width == 1 ? -1 : tr_next_likely(row, width, class);
    }
}

static void print_all(FILE *out, const tr_predictions *predictions, int64_t i)
{
    const tr_model *model = predictions->model;
    const float *row = row_of(predictions, i);
    print_sample(out, predictions, i);
    if (tr_model_predicts_classes(model)) {
        const int64_t class = tr_model_class_of(model, row);
        fprintf(out, ",%lld", (long long)class);
        if (has_names(predictions)) {
            fputc(',', out);
            print_name(out, model, class);
        }
    }
    print_label(out, predictions, i);
    for (int64_t j = 0; j < tr_model_n_classes(model); j++)
        fprintf(out, ",%.9g", (double)row[j]); /* reads back to the same float */
    fputc('\n', out);
}

void tr_predictions_print_csv_rows(FILE *out, const tr_predictions *predictions)
{
    for (int64_t i = 0; i < predictions->n; i++)
        if (predictions->top > 0)
            print_ranks(out, predictions, i);
        else
            print_all(out, predictions, i);
}

void tr_predictions_print_csv(FILE *out, const tr_predictions *predictions)
{
    const tr_model *model = predictions->model;
    const int64_t width = tr_model_n_classes(model);
    const bool classes = tr_model_predicts_classes(model);
    const bool probabilities = tr_model_gives_probabilities(model);
    const char *name = has_names(predictions) ? ",name" : "";
    const char *label = predictions->labels == NULL ? "" : ",label";
    fputs(predictions->files == NULL ? "sample" : "file", out);
    if (predictions->top > 0) {
        fprintf(out, ",rank,class%s,%s%s", name, probabilities ? "probability" : "output", label);
    } else {
        fprintf(out, "%s%s%s", classes ? ",class" : "", name, label);
        for (int64_t j = 0; j < width; j++) /* one output is the probability of class 1 */
            fprintf(out, ",%c%lld", probabilities ? 'p' : 'y',
                    (long long)(classes && width == 1 ? 1 : j));
    }
    fputc('\n', out);
    tr_predictions_print_csv_rows(out, predictions);
}

/* ---- sentences ---- */

static void print_class(FILE *out, const tr_model *model, const char *before, int64_t class)
{
    const char *name = tr_model_class_name(model, class);
    if (name != NULL)
        fputs(name, out);
    else
        fprintf(out, "%s%lld", before, (long long)class);
}

static void print_classes(FILE *out, const tr_predictions *predictions, int64_t i)
{
    const tr_model *model = predictions->model;
    const int64_t width = tr_model_n_classes(model);
    const int shown = predictions->top > 0 ? predictions->top : SHOWN;
    const float *row = row_of(predictions, i);
    int64_t class = tr_model_class_of(model, row);
    const int64_t label = predictions->labels == NULL ? -1 : predictions->labels[i];
    const bool wrong = label >= 0 && label != class;
    for (int k = 0; k < shown && class >= 0; k++) {
        if (k > 0)
            fputs(k == 1 ? ", then " : ", ", out);
        print_class(out, model, k == 0 ? "class " : "", class);
        fprintf(out, " (%.4f)", tr_prediction_of(model, row, class));
        class = width == 1 ? -1 : tr_next_likely(row, width, class);
    }
    if (wrong) {
        fputs("; wrong: ", out);
        print_class(out, model, "class ", label);
    }
}

/* Those that are yes. */
static void print_answers(FILE *out, const tr_model *model, const float *row)
{
    const char *between = "";
    for (int64_t j = 0; j < tr_model_n_classes(model); j++) {
        if (!tr_model_says_yes(model, row[j]))
            continue;
        fputs(between, out);
        print_class(out, model, "", j);
        fprintf(out, " (%.4f)", (double)row[j]);
        between = ", ";
    }
    if (between[0] == '\0')
        fputs("none", out);
}

void tr_predictions_print_lines(FILE *out, const tr_predictions *predictions)
{
    const tr_model *model = predictions->model;
    const int64_t width = tr_model_n_classes(model);
    for (int64_t i = 0; i < predictions->n; i++) {
        const float *row = row_of(predictions, i);
        char file[4096];
        if (predictions->files == NULL)
            snprintf(file, sizeof file, "%lld", (long long)(predictions->first + i));
        else
            tr_utf8_clean(file, sizeof file, predictions->files[i]);
        fprintf(out, "%s: ", file);
        if (tr_model_predicts_classes(model))
            print_classes(out, predictions, i);
        else if (tr_model_answers_several(model) && tr_model_legend(model)->n_classes > 0)
            print_answers(out, model, row);
        else
            for (int64_t j = 0; j < width; j++)
                fprintf(out, "%s%.6g", j == 0 ? "" : ", ", (double)row[j]);
        fputc('\n', out);
    }
}
