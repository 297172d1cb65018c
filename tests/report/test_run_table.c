/* test_run_table.c -- the lines at the end of a run. */
#include <stdlib.h>

#include "made_history.h"
#include "run_table.h"

static char *printed(int64_t n, int n_metrics, bool validation)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    tr_history history = made_history(n, n_metrics, validation);
    tr_print_run(out, &history);
    tr_history_release(&history);
    fclose(out);
    return text;
}

Test(run_table, best_epochs_time_and_speed)
{
    char *text = printed(20, 2, true);
    cr_assert_str_eq(text, "\nbest val_loss         0.2000  epoch 7\n"
                           "best val_accuracy     0.9000  epoch 7\n"
                           "20 epochs in 50.0 s: 40.0 s training, 10.0 s validation, 50 images/s "
                           "on average\n");
    free(text);
}

Test(run_table, without_validation_and_metrics)
{
    char *text = printed(2, 0, false);
    cr_assert_str_eq(text, "\nbest loss             0.3704  epoch 2\n"
                           "2 epochs in 5.0 s: 4.0 s training, 50 images/s on average\n");
    free(text);
}

Test(run_table, nothing_for_one_epoch)
{
    char *text = printed(1, 1, true);
    cr_assert_str_eq(text, "");
    free(text);
    text = printed(0, 1, true);
    cr_assert_str_eq(text, "");
    free(text);
}
