/* test_f_score.c -- F scores, against Keras: every average, with and without a threshold. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(f_score, results)
{
    test_metric_results("f_");
}
