/* test_loss_table.c -- every row can be found by its name, and nothing else can. */
#include <criterion/criterion.h>

#include "loss.h"

Test(loss_table, finds_each_row_and_only_those)
{
    const char *names[TR_MAX_LOSSES];
    tr_loss_names(names);
    size_t n = 0;
    for (; names[n] != NULL; n++)
        cr_assert_eq(tr_loss_find(names[n]), tr_loss_table[n]);
    cr_assert_gt(n, 0);
    cr_assert_null(tr_loss_find("crossentropy"));
    cr_assert_eq(tr_loss_find("mse"), tr_loss_find("mean_squared_error"));
    cr_assert_eq(tr_loss_find("kullback_leibler_divergence"), tr_loss_find("kl_divergence"));
}
