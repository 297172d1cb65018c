/* test_evaluation_table.c -- the classes of a test set as text, against numbers worked out by hand.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "evaluation_table.h"
#include "mem.h"
#include "net.h"

static char *confusion_text(int64_t n, int64_t *counts)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    const tr_confusion confusion = {.n_classes = n, .counts = counts};
    tr_print_confusion(out, &confusion);
    fclose(out);
    return text;
}

Test(evaluation_table, matrix_and_shares_of_each_class)
{
    /* Class 1 is never said, class 2 is not there. */
    int64_t counts[9] = {90, 0, 10, 5, 0, 0, 0, 0, 0};
    char *text = confusion_text(3, counts);
    cr_assert_str_eq(text, "\nConfusion matrix, rows: true class, columns: predicted class\n\n"
                           "         0  1  2\n"
                           "      0 90  . 10\n"
                           "      1  5  .  .\n"
                           "      2  .  .  .\n"
                           "\n"
                           "  class  precision     recall         f1   support\n"
                           "      0     0.9474     0.9000     0.9231       100\n"
                           "      1          -     0.0000     0.0000         5\n"
                           "      2     0.0000          -     0.0000         0\n\n");
    free(text);
}

Test(evaluation_table, many_classes_have_no_matrix_and_none_has_nothing)
{
    int64_t *counts = tr_alloc(21 * 21, sizeof *counts);
    counts[20 * 21 + 20] = 7;
    char *text = confusion_text(21, counts);
    cr_assert_null(strstr(text, "Confusion"));
    cr_assert_not_null(strstr(text, "     20     1.0000     1.0000     1.0000         7\n"));
    free(text);
    text = confusion_text(0, NULL);
    cr_assert_str_eq(text, "");
    free(text);
    tr_free(counts);
}

/* Shares of right answers have a standard error, distances have none. */
Test(evaluation_table, metrics_in_a_line)
{
    tr_error err = {0};
    tr_model *model = NULL;
    char *text = NULL;
    size_t bytes = 0;
    tr_config *config = test_config(
        "[model]\ninput_shape = 2, 2, 1\n[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\n"
        "units = 3\nactivation = softmax\n[compile]\nloss = categorical_crossentropy\n"
        "optimizer = adam\nmetrics = accuracy, mae\n",
        NULL, 0);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    const tr_metrics metrics = {.loss = 0.25, .values = {0.9, 0.125}, .n = 10000};
    FILE *out = open_memstream(&text, &bytes);
    tr_print_metrics(out, model, &metrics);
    fclose(out);
    cr_assert_str_eq(text, "test loss 0.250000  test accuracy 0.9000 +- 0.0030  "
                           "test mae 0.125000");
    free(text);
    tr_model_free(model);
    tr_config_free(config);
}
