/* test_series.c -- the best epoch of a column: which direction is better, ties, no numbers. */
#include "made_history.h"
#include "series.h"

Test(series, best_is_the_least_loss_and_the_most_accuracy)
{
    tr_history history = made_history(20, 2, true);
    const tr_series loss = {&history, TR_LOSS, true}, accuracy = {&history, 0, true},
                    error = {&history, 1, true}, training = {&history, TR_LOSS, false};
    cr_assert_eq(tr_series_best(&loss), 6);
    cr_assert_eq(tr_series_best(&accuracy), 6);
    cr_assert_eq(tr_series_best(&error), 19, "an error is better when it is less");
    cr_assert_eq(tr_series_best(&training), 19);
    cr_assert_str_eq(tr_series_name(&loss), "loss");
    cr_assert_str_eq(tr_series_name(&error), "mean_squared_error");
    tr_history_release(&history);
}

Test(series, best_is_the_first_of_equals)
{
    tr_history history = made_history(5, 0, false);
    for (int i = 0; i < 5; i++)
        history.epochs[i].train.loss = i == 0 ? 2.0 : 1.0;
    cr_assert_eq(tr_series_best(&(tr_series){&history, TR_LOSS, false}), 1);
    tr_history_release(&history);
}

Test(series, best_is_none_without_numbers)
{
    tr_history history = made_history(3, 1, false);
    const tr_series series = {&history, 0, false};
    for (int i = 0; i < 3; i++)
        history.epochs[i].train.values[0] = NAN;
    cr_assert_eq(tr_series_best(&series), -1);
    history.epochs[2].train.values[0] = 0.5;
    cr_assert_eq(tr_series_best(&series), 2);
    history.epochs[0].train.values[0] = INFINITY;
    cr_assert_eq(tr_series_best(&series), 2);
    tr_history_release(&history);
    cr_assert_eq(tr_series_best(&(tr_series){&history, TR_LOSS, false}), -1);
}
