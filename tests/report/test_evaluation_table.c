/* test_evaluation_table.c -- the classes of a test set as text, against numbers worked out by hand.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "evaluation_table.h"
#include "mem.h"
#include "net.h"

static char *text_of(const tr_evaluation *evaluation, const tr_legend *legend)
{
    static char *text; /* GCC 12 takes what open_memstream() makes for the pointer's own address */
    static size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    tr_print_classes(out, evaluation, legend);
    fclose(out);
    return text;
}

static char *confusion_text(int64_t n, int64_t *counts)
{
    const tr_evaluation evaluation = {.confusion = {n, counts}};
    return text_of(&evaluation, &(tr_legend){0});
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

/* Wide, long and missing names: columns stay columns. */
Test(evaluation_table, classes_by_name)
{
    int64_t counts[9] = {90, 0, 10, 5, 0, 0, 0, 0, 3};
    char *names[3] = {"\xe7\x8c\xab", "", "a name that is longer than any column has room for"};
    const tr_evaluation evaluation = {.confusion = {3, counts}};
    char *text = text_of(&evaluation, &(tr_legend){.n_classes = 3, .class_names = names});
    cr_assert_str_eq(
        text,
        "\nConfusion matrix, rows: true class, columns: predicted class\n\n"
        "                                    0  1  2\n"
        "0 \xe7\x8c\xab                               90  . 10\n"
        "1                                   5  .  .\n"
        "2 a name that is longer than any c  .  .  3\n"
        "\n"
        "class                               precision     recall         f1   support\n"
        "0 \xe7\x8c\xab                                   0.9474     0.9000     0.9231       "
        "100\n"
        "1                                           -     0.0000     0.0000         5\n"
        "2 a name that is longer than any c     0.2308     1.0000     0.3750         3\n\n",
        "%s", text);
    free(text);
}

Test(evaluation_table, many_classes_are_the_frequent_confusions)
{
    int64_t *counts = tr_alloc(21 * 21, sizeof *counts);
    counts[20 * 21 + 20] = 7;
    char *text = confusion_text(21, counts);
    cr_assert_null(strstr(text, "onfusion")); /* nothing is confused */
    cr_assert_not_null(strstr(text, "     20     1.0000     1.0000     1.0000         7\n"));
    free(text);
    counts[3 * 21 + 4] = counts[2 * 21 + 20] = 11;
    counts[4 * 21 + 3] = 2;
    text = confusion_text(21, counts);
    cr_assert_not_null(strstr(text, "Most frequent confusions: samples, true class, taken for\n\n"
                                    "11        2       20\n"
                                    "11        3        4\n"
                                    " 2        4        3\n\n  class"),
                       "%s", text);
    free(text);
    text = confusion_text(0, NULL);
    cr_assert_str_eq(text, "");
    free(text);
    tr_free(counts);
}

/* Of 60 classes 20 rows, the worst first, those of equal F1 in their order; and the means. */
Test(evaluation_table, very_many_classes_are_the_worst_and_means)
{
    enum { N = 60 };
    int64_t *counts = tr_alloc(N * N, sizeof *counts);
    for (int i = 0; i < N - 1; i++) /* the last one nobody meets */
        counts[i * N + i] = 3;
    counts[30 * N + 30] = 0;
    counts[30 * N + 31] = 3;
    char *text = confusion_text(N, counts), *at = strstr(text, "support\n");
    cr_assert_not_null(strstr(text, "Of 60 the 20 with the lowest F1, and means over all\n"));
    int rows = 0;
    for (const char *line = at; (line = strchr(line, '\n')) != NULL; line++)
        rows++;
    cr_assert_eq(rows, 1 + 20 + 2 + 1, "%s", text);
    cr_assert_not_null(strstr(at, "support\n"
                                  "     30          -     0.0000     0.0000         3\n"
                                  "     31     0.5000     1.0000     0.6667         3\n"
                                  "      0     1.0000     1.0000     1.0000         3\n"));
    cr_assert_not_null(strstr(at, "macro       0.9746     0.9831     0.9774       177\n"), "%s",
                       at);
    free(text);
    tr_free(counts);
}

Test(evaluation_table, answers)
{
    tr_answer_counts answers[2] = {{.right = 3, .wrong = 1, .missed = 2}, {0}};
    char *names[2] = {"dog", "night"};
    const tr_evaluation evaluation = {.n_answers = 2, .answers = answers};
    char *text = text_of(&evaluation, &(tr_legend){.n_classes = 2, .class_names = names});
    cr_assert_str_eq(text, "\nanswer   precision     recall         f1   support\n"
                           "0 dog       0.7500     0.6000     0.6667         5\n"
                           "1 night          -          -          -         0\n\n");
    free(text);
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
