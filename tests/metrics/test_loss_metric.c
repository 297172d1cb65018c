/* test_loss_metric.c -- losses as metrics, against NumPy and Keras: one output, several, class
 * numbers, NaN, settings, weights. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(loss_metric, squared_error)
{
    test_metric_golden("mean_squared_error");
}

Test(loss_metric, absolute_error)
{
    test_metric_golden("mean_absolute_error");
}

Test(loss_metric, of_every_loss)
{
    test_metric_results("loss_");
}

/* Of a class number and of the row that it stands for. */
Test(loss_metric, sparse_takes_rows)
{
    static const float pred[3] = {0.2f, 0.7f, 0.1f}, row[3] = {0, 1, 0};
    static const int32_t class = 1;
    tr_metric_ops ops;
    cr_assert(tr_metric_find(&ops, "sparse_categorical_crossentropy"));
    const tr_metric_settings settings = {
        .loss = tr_loss_default(tr_loss_find("sparse_categorical_crossentropy"))};
    tr_metric_task task = {
        .pred = pred, .targets = {.values = row}, .n = 1, .width = 3, .settings = &settings};
    const double by_row = ops.value(&task, 0);
    task.targets = (tr_targets){.classes = &class};
    cr_expect_eq(ops.value(&task, 0), by_row);
}
