/* test_status.c -- the one error type. */
#include "trainer/status.h"

#include <criterion/criterion.h>
#include <string.h>

Test(status, fail_fills_and_returns)
{
    tr_error err = {0};
    cr_expect_eq(tr_fail(&err, TR_ERR_DATA, "%s: %d", "file", 7), TR_ERR_DATA);
    cr_expect_eq(err.status, TR_ERR_DATA);
    cr_expect_str_eq(err.text, "file: 7");
    cr_expect_eq(tr_fail(NULL, TR_ERR_IO, "nobody reads this"), TR_ERR_IO);
}

Test(status, says_whose_work_found_no_memory)
{
    tr_error err = {0};
    cr_expect_eq(tr_out_of_memory(&err, NULL), TR_ERR_INTERNAL);
    cr_expect_str_eq(err.text, "out of memory");
    cr_expect_eq(tr_out_of_memory(&err, "a.h5"), TR_ERR_INTERNAL);
    cr_expect_str_eq(err.text, "a.h5: out of memory");
}

Test(status, long_texts_are_cut)
{
    static tr_error err;
    static char text[2 * sizeof err.text];
    memset(text, 'x', sizeof text - 1);
    (void)tr_fail(&err, TR_ERR_IO, "%s", text);
    cr_expect_eq(strlen(err.text), sizeof err.text - 1);
}

static tr_status tried(tr_status status, int *went_on)
{
    TR_TRY(status);
    *went_on = 1;
    return TR_OK;
}

Test(status, try_leaves_on_failure_alone)
{
    int went_on = 0;
    cr_expect_eq(tried(TR_ERR_NUMERIC, &went_on), TR_ERR_NUMERIC);
    cr_expect_eq(went_on, 0);
    cr_expect_eq(tried(TR_OK, &went_on), TR_OK);
    cr_expect_eq(went_on, 1);
}

/* They are the exit codes of the program; scripts rely on them. */
Test(status, values)
{
    cr_expect_eq(TR_OK, 0);
    cr_expect_eq(TR_ERR_INTERNAL, 1);
    cr_expect_eq(TR_ERR_CONFIG, 2);
    cr_expect_eq(TR_ERR_DATA, 3);
    cr_expect_eq(TR_ERR_NUMERIC, 4);
    cr_expect_eq(TR_ERR_IO, 5);
    cr_expect_eq(TR_INTERRUPTED, 130);
    cr_expect_eq(TR_TERMINATED, 143);
}
