/* evaluation_table.c -- see evaluation_table.h. "-": nothing can be divided (class_shares.h). */
#include "evaluation_table.h"

#include <math.h>
#include <string.h>

#include "class_shares.h"
#include "utf8.h"

enum { MATRIX_MAX = 20, PAIRS_SHOWN = 10, TABLE_MAX = 50, WORST_SHOWN = 20 };

void tr_print_metrics(FILE *out, const tr_model *model, const tr_metrics *metrics)
{
    fprintf(out, "test loss %.6f", metrics->loss);
    for (int i = 0; i < tr_model_n_metrics(model); i++) {
        const tr_metric_info info = tr_model_metric(model, i);
        fprintf(out, "  test %s %.*f", info.name, info.counts ? 4 : 6, metrics->values[i]);
        if (info.counts)
            fprintf(out, " +- %.4f", tr_standard_error(metrics->values[i], metrics->n));
    }
}

/* ---- what a class is called ---- */

/* A column of classes: numbers to the right, or where they have names "3 cat" to the left. */
typedef struct class_column {
    const tr_legend *legend;
    int digits, width;
} class_column;

enum { NAME_MAX_COLUMNS = 32, COLUMN_MIN = 7 };

static int digits(int64_t n)
{
    int count = 1;
    for (; n >= 10; n /= 10)
        count++;
    return count;
}

static int name_columns(const char *name)
{
    const size_t columns = tr_utf8_columns(name);
    return columns < NAME_MAX_COLUMNS ? (int)columns : NAME_MAX_COLUMNS;
}

static class_column class_column_of(const tr_legend *legend, int64_t n)
{
    class_column column = {.legend = legend, .digits = digits(n - 1), .width = COLUMN_MIN};
    for (int64_t i = 0; i < n; i++) {
        const char *name = tr_legend_class(legend, i);
        const int width = name == NULL ? 0 : column.digits + 1 + name_columns(name);
        column.width = width > column.width ? width : column.width;
    }
    return column;
}

static void print_class(FILE *out, const class_column *column, int64_t class)
{
    const char *name = tr_legend_class(column->legend, class);
    if (name == NULL && column->legend->n_classes == 0) {
        fprintf(out, "%*lld", column->width, (long long)class);
        return;
    }
    name = name == NULL ? "" : name;
    const size_t bytes = tr_utf8_fitting(name, NAME_MAX_COLUMNS);
    const int used = column->digits + 1 + name_columns(name);
    fprintf(out, "%*lld %.*s%*s", column->digits, (long long)class, (int)bytes, name,
            column->width > used ? column->width - used : 0, "");
}

/* ---- the matrix ---- */

static void print_matrix(FILE *out, const tr_confusion *confusion, const class_column *column)
{
    const int64_t n = confusion->n_classes;
    int width = digits(n - 1);
    for (int64_t i = 0; i < n * n; i++)
        if (digits(confusion->counts[i]) > width)
            width = digits(confusion->counts[i]);
    fprintf(out, "Confusion matrix, rows: true class, columns: predicted class\n\n%*s",
            column->width, "");
    for (int64_t j = 0; j < n; j++)
        fprintf(out, " %*lld", width, (long long)j);
    fputc('\n', out);
    for (int64_t i = 0; i < n; i++) {
        print_class(out, column, i);
        for (int64_t j = 0; j < n; j++) {
            const int64_t count = confusion->counts[i * n + j];
            if (count == 0)
                fprintf(out, " %*s", width, "."); /* the mistakes are to be seen */
            else
                fprintf(out, " %*lld", width, (long long)count);
        }
        fputc('\n', out);
    }
    fputc('\n', out);
}

/* ---- of many classes the most frequent confusions ---- */

/* Comes `a`, a place in the matrix, before `b` (-1: none)? The more frequent one, then the earlier.
 */
static bool is_more_frequent(const tr_confusion *confusion, int64_t a, int64_t b)
{
    if (b < 0)
        return true;
    return confusion->counts[a] != confusion->counts[b]
               ? confusion->counts[a] > confusion->counts[b]
               : a < b;
}

/* The next one after `last` (-1: the first of all); -1: there is none. */
static int64_t next_pair(const tr_confusion *confusion, int64_t last)
{
    const int64_t n = confusion->n_classes;
    int64_t found = -1;
    for (int64_t i = 0; i < n * n; i++) {
        const bool wrong = i / n != i % n && confusion->counts[i] > 0;
        if (wrong && (last < 0 || (i != last && is_more_frequent(confusion, last, i))) &&
            is_more_frequent(confusion, i, found))
            found = i;
    }
    return found;
}

static void print_pairs(FILE *out, const tr_confusion *confusion, const class_column *column)
{
    const int64_t n = confusion->n_classes;
    int64_t pair = next_pair(confusion, -1);
    if (pair < 0)
        return;
    const int width = digits(confusion->counts[pair]);
    fprintf(out, "Most frequent confusions: samples, true class, taken for\n\n");
    for (int k = 0; k < PAIRS_SHOWN && pair >= 0; k++) {
        fprintf(out, "%*lld  ", width, (long long)confusion->counts[pair]);
        print_class(out, column, pair / n);
        fputs("  ", out);
        print_class(out, column, pair % n);
        fputc('\n', out);
        pair = next_pair(confusion, pair);
    }
    fputc('\n', out);
}

/* ---- the classes ---- */

static void print_share(FILE *out, double share)
{
    if (isnan(share))
        fprintf(out, " %10s", "-");
    else
        fprintf(out, " %10.4f", share);
}

static void print_shares(FILE *out, const tr_class_shares *shares)
{
    print_share(out, shares->precision);
    print_share(out, shares->recall);
    print_share(out, shares->f1);
    fprintf(out, " %9lld\n", (long long)shares->there);
}

static void print_row(FILE *out, const tr_evaluation *evaluation, const class_column *column,
                      int64_t class)
{
    const tr_class_shares shares = tr_class_shares_of(evaluation, class);
    print_class(out, column, class);
    print_shares(out, &shares);
}

/* The class with the lowest F1 after (last_f1, last), of those that are there; -1: there is none.
 */
static int64_t next_worst(const tr_evaluation *evaluation, double *last_f1, int64_t last)
{
    int64_t found = -1;
    double found_f1 = 0.0;
    for (int64_t i = 0; i < tr_class_shares_n(evaluation); i++) {
        const tr_class_shares shares = tr_class_shares_of(evaluation, i);
        const bool after = shares.f1 > *last_f1 || (shares.f1 == *last_f1 && i > last);
        if (shares.there > 0 && after && (found < 0 || shares.f1 < found_f1)) {
            found = i;
            found_f1 = shares.f1;
        }
    }
    *last_f1 = found_f1;
    return found;
}

static void print_worst(FILE *out, const tr_evaluation *evaluation, const class_column *column)
{
    static const char *const names[] = {"macro", "weighted"};
    double f1 = -1.0;
    int64_t class = -1;
    for (int k = 0; k < WORST_SHOWN; k++) {
        class = next_worst(evaluation, &f1, class);
        if (class < 0)
            break;
        print_row(out, evaluation, column, class);
    }
    for (int weighted = 0; weighted < 2; weighted++) {
        const tr_class_shares average = tr_class_shares_average(evaluation, weighted == 1);
        fprintf(out, "%-*s", column->width, names[weighted]);
        print_shares(out, &average);
    }
}

void tr_print_classes(FILE *out, const tr_evaluation *evaluation, const tr_legend *legend)
{
    const tr_confusion *confusion = &evaluation->confusion;
    const int64_t n = tr_class_shares_n(evaluation);
    if (n == 0)
        return;
    const class_column column = class_column_of(legend, n);
    const char *what = confusion->n_classes > 0 ? "class" : "answer";
    fputc('\n', out);
    if (confusion->n_classes > 0 && n <= MATRIX_MAX)
        print_matrix(out, confusion, &column);
    else if (confusion->n_classes > 0)
        print_pairs(out, confusion, &column);
    if (n > TABLE_MAX)
        fprintf(out, "Of %lld the %d with the lowest F1, and means over all\n\n", (long long)n,
                WORST_SHOWN);
    /* A negative width is one to the left. */
    fprintf(out, "%*s", legend->n_classes == 0 ? column.width : -column.width, what);
    fprintf(out, " %10s %10s %10s %9s\n", "precision", "recall", "f1", "support");
    if (n > TABLE_MAX)
        print_worst(out, evaluation, &column);
    else
        for (int64_t i = 0; i < n; i++)
            print_row(out, evaluation, &column, i);
    fputc('\n', out);
}
