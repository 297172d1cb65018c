/* test_history_columns.c -- names and order as resumes and Keras's history have them; rows. */
#include "history_columns.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static const char *const metrics[] = {"accuracy", "mse"};

Test(history_columns, are_in_order)
{
    static const char *const all[] = {
        "epoch",        "loss",    "accuracy",    "mse",           "samples", "val_loss",
        "val_accuracy", "val_mse", "val_samples", "learning_rate", "seconds", "validation_seconds",
        "images_per_s"};
    static const bool whole[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0};
    static const bool reported[] = {1, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1};
    tr_history_column columns[TR_MAX_COLUMNS];
    cr_assert_eq(tr_history_columns(columns, metrics, 2), 13);
    for (int i = 0; i < 13; i++) {
        cr_expect_str_eq(columns[i].name, all[i]);
        cr_expect_eq(columns[i].whole, whole[i], "%s", all[i]);
        cr_expect_eq(columns[i].reported, reported[i], "%s", all[i]);
        cr_expect_eq(columns[i].validation, strncmp(all[i], "val_", 4) == 0, "%s", all[i]);
    }
}

static const tr_epoch epoch = {.epoch = 3,
                               .train = {.loss = 0.5, .values = {0.25, 0.125}, .n = 100},
                               .validation = {.loss = 0.75, .values = {0.375, 0.1875}, .n = 20},
                               .learning_rate = 1e-3,
                               .seconds = 3.5,
                               .validation_seconds = 0.75,
                               .images_per_s = 1000};

Test(history_columns, rows_and_back)
{
    static const double expected[] = {3,      0.5, 0.25, 0.125, 100,  0.75, 0.375,
                                      0.1875, 20,  1e-3, 3.5,   0.75, 1000};
    tr_history_column columns[TR_MAX_COLUMNS];
    double row[TR_MAX_COLUMNS];
    tr_epoch back = {0};
    const int n = tr_history_columns(columns, metrics, 2);
    tr_history_to_row(row, columns, n, &epoch);
    cr_assert_eq(memcmp(row, expected, sizeof expected), 0);
    tr_history_from_row(&back, columns, n, row);
    cr_assert_eq(memcmp(&back, &epoch, sizeof epoch), 0);
}

/* A file may say anything. */
Test(history_columns, no_count_beyond_all_integers)
{
    tr_history_column columns[TR_MAX_COLUMNS];
    const int n = tr_history_columns(columns, metrics, 2);
    double row[TR_MAX_COLUMNS] = {NAN, 0, 0, 0, 1e300, 0, 0, 0, -INFINITY};
    tr_epoch back = epoch;
    tr_history_from_row(&back, columns, n, row);
    cr_expect(back.epoch == -1 && back.train.n == -1 && back.validation.n == -1);
}
