/* test_history.c -- the list of epochs and the standard error of an accuracy. */
#include <criterion/criterion.h>
#include <math.h>

#include "mem.h"
#include "trainer/history.h"

Test(history, keeps_every_epoch_in_order)
{
    tr_history history = {0};
    for (int64_t i = 1; i <= 100; i++)
        cr_assert_eq(tr_history_add(&history, &(tr_epoch){.epoch = i}), TR_OK);
    cr_assert_eq(history.n, 100);
    for (int64_t i = 0; i < 100; i++)
        cr_assert_eq(history.epochs[i].epoch, i + 1);
    tr_history_release(&history);
    cr_assert_eq(history.n, 0);
}

Test(history, lack_of_memory_keeps_what_was_there)
{
    tr_history history = {0};
    cr_assert_eq(tr_history_add(&history, &(tr_epoch){.epoch = 1}), TR_OK);
    tr_alloc_fail_after(0);
    cr_assert_eq(tr_history_add(&history, &(tr_epoch){.epoch = 99}), TR_ERR_INTERNAL);
    tr_alloc_fail_after(-1);
    cr_assert_eq(history.epochs[0].epoch, 1);
    tr_history_release(&history);
}

Test(history, standard_error_of_an_accuracy)
{
    cr_assert(fabs(tr_standard_error(0.9, 10000) - 0.003) < 1e-12);
}
