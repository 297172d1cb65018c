/* test_history_csv.c -- the file's columns and numbers, and that it is replaced as a whole. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "net.h"
#include "trainer/history.h"

static const char *read_back(const char *path)
{
    static char text[4096];
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static tr_history two_epochs(void)
{
    tr_history history = {
        .n_metrics = 2, .names = {"accuracy", "mean_squared_error"}, .validation = true};
    tr_epoch epoch = {.epoch = 1,
                      .train = {.loss = 0.5, .values = {0.75, 3}, .n = 100},
                      .validation = {.loss = 0.25, .values = {0.875, 2}, .n = 10},
                      .learning_rate = 0.001,
                      .seconds = 2.5,
                      .images_per_s = 40.0};
    cr_assert_eq(tr_history_add(&history, &epoch), TR_OK);
    epoch.epoch = 2;
    cr_assert_eq(tr_history_add(&history, &epoch), TR_OK);
    return history;
}

Test(history_csv, has_the_documented_columns)
{
    tr_error err = {0};
    tr_history history = two_epochs();
    const char *path = test_file("history.csv", "old contents that are longer than the new\n");
    cr_assert_eq(tr_history_write_csv(&history, path, &err), TR_OK, "%s", err.text);
    cr_assert_str_eq(read_back(path),
                     "epoch,loss,accuracy,mean_squared_error,val_loss,val_accuracy,"
                     "val_mean_squared_error,learning_rate,seconds,images_per_s\n"
                     "1,0.5,0.75,3,0.25,0.875,2,0.001,2.5,40\n"
                     "2,0.5,0.75,3,0.25,0.875,2,0.001,2.5,40\n");
    tr_history_release(&history);
}

Test(history_csv, leaves_out_what_the_run_has_not)
{
    tr_error err = {0};
    tr_history history = two_epochs();
    const char *path = test_file("history.csv", "");
    history.n_metrics = 0;
    cr_assert_eq(tr_history_write_csv(&history, path, &err), TR_OK);
    cr_assert_not_null(strstr(read_back(path), "epoch,loss,val_loss,learning_rate"));
    history.n_metrics = 1;
    history.validation = false;
    cr_assert_eq(tr_history_write_csv(&history, path, &err), TR_OK);
    cr_assert_not_null(strstr(read_back(path), "epoch,loss,accuracy,learning_rate"));
    tr_history_release(&history);
}

Test(history_csv, says_where_it_cannot_write)
{
    tr_error err = {0};
    tr_history history = two_epochs();
    cr_assert_eq(tr_history_write_csv(&history, "/nowhere/h.csv", &err), TR_ERR_IO);
    cr_assert_not_null(strstr(err.text, "/nowhere/h.csv"));
    tr_history_release(&history);
}
