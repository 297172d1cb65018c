/* evaluation_table.c -- see evaluation_table.h.
 *
 * precision = right / said, recall = right / there, F1 = their harmonic mean, as scikit-learn's
 * classification_report defines them; "-" where nothing can be divided.
 */
#include "evaluation_table.h"

enum { MATRIX_MAX = 20 };

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

/* ---- the matrix ---- */

static int digits(int64_t n)
{
    int count = 1;
    for (; n >= 10; n /= 10)
        count++;
    return count;
}

static void print_matrix(FILE *out, const tr_confusion *confusion)
{
    const int64_t n = confusion->n_classes;
    int width = digits(n - 1);
    for (int64_t i = 0; i < n * n; i++)
        if (digits(confusion->counts[i]) > width)
            width = digits(confusion->counts[i]);
    fprintf(out, "Confusion matrix, rows: true class, columns: predicted class\n\n%7s", "");
    for (int64_t j = 0; j < n; j++)
        fprintf(out, " %*lld", width, (long long)j);
    fputc('\n', out);
    for (int64_t i = 0; i < n; i++) {
        fprintf(out, "%7lld", (long long)i);
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

/* ---- the classes ---- */

static void print_share(FILE *out, double part, double whole)
{
    if (whole > 0.0)
        fprintf(out, " %10.4f", part / whole);
    else
        fprintf(out, " %10s", "-");
}

static void print_class(FILE *out, const tr_confusion *confusion, int64_t class)
{
    const int64_t n = confusion->n_classes;
    int64_t said = 0, there = 0;
    for (int64_t k = 0; k < n; k++) {
        said += confusion->counts[k * n + class];
        there += confusion->counts[class * n + k];
    }
    const double right = (double)confusion->counts[class * n + class];
    fprintf(out, "%7lld", (long long)class);
    print_share(out, right, (double)said);
    print_share(out, right, (double)there);
    print_share(out, 2.0 * right, (double)(said + there));
    fprintf(out, " %9lld\n", (long long)there);
}

void tr_print_confusion(FILE *out, const tr_confusion *confusion)
{
    if (confusion->n_classes == 0)
        return;
    fputc('\n', out);
    if (confusion->n_classes <= MATRIX_MAX)
        print_matrix(out, confusion);
    fprintf(out, "%7s %10s %10s %10s %9s\n", "class", "precision", "recall", "f1", "support");
    for (int64_t i = 0; i < confusion->n_classes; i++)
        print_class(out, confusion, i);
    fputc('\n', out);
}
