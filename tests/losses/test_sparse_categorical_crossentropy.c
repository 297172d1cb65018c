/* test_sparse_categorical_crossentropy.c -- values and gradients against NumPy in float64. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "loss.h"
#include "mem.h"
#include "net.h"

static tr_loss loss_of(bool logits)
{
    const tr_loss loss = {.ops = tr_loss_find("sparse_categorical_crossentropy"), .logits = logits};
    cr_assert_not_null(loss.ops);
    return loss;
}

/* One golden case: per-sample losses, summed; gradient of the mean. */
static void run_case(hid_t file, const char *kind, const char *name, const char *pred_name,
                     const char *diff_name, bool logits)
{
    char path[256];
    size_t n, n_pred, n_diff;
    const tr_loss loss = loss_of(logits);
#define LOAD(what, count)                                                                          \
    (snprintf(path, sizeof path, "%s/%s/%s", kind, name, what),                                    \
     test_golden_floats(file, path, count))
    float *labels = LOAD("labels", &n);
    float *pred = LOAD(pred_name, &n_pred);
    float *golden_diff = LOAD(diff_name, &n_diff);
    float *golden_loss = LOAD("loss", &n);
#undef LOAD
    const int64_t classes = (int64_t)(n_pred / n);
    float *diff = tr_alloc(n_pred, sizeof *diff);
    int32_t *y = tr_alloc(n, sizeof *y);
    for (size_t i = 0; i < n; i++) {
        y[i] = (int32_t)labels[i];
        /* One sample at a time: its own loss. */
        const tr_loss_task one = {.pred = pred + (int64_t)i * classes,
                                  .targets = {.classes = &y[i]},
                                  .n = 1,
                                  .n_padded = 1,
                                  .width = classes,
                                  .weight = 1.0f};
        const double value = tr_loss_run(&loss, &one);
        /* expf is good to one ulp; the loss is of the size of the logits. */
        cr_assert(
            fabs(value - (double)golden_loss[i]) <= 2e-6 + 1e-6 * fabs((double)golden_loss[i]),
            "%s/%s sample %zu: %.9g, expected %.9g", kind, name, i, value, (double)golden_loss[i]);
    }
    const tr_loss_task task = {.pred = pred,
                               .diff = diff,
                               .targets = {.classes = y},
                               .n = (int64_t)n,
                               .n_padded = (int64_t)n,
                               .width = classes,
                               .weight = 1.0f / (float)n};
    (void)tr_loss_run(&loss, &task);
    /* softmax(z) - 1 cancels for a sure prediction: absolute error of one float near 1. */
    test_close(name, diff, golden_diff, n_diff, 2e-7, 1e-5);
    tr_free(labels), tr_free(pred), tr_free(golden_diff);
    tr_free(golden_loss), tr_free(diff), tr_free(y);
}

static void run_all(const char *kind, const char *pred_name, const char *diff_name, bool logits)
{
    const hid_t file = test_golden_open("losses.h5");
    const hid_t group = H5Gopen2(file, kind, H5P_DEFAULT);
    H5G_info_t info;
    cr_assert(H5Gget_info(group, &info) >= 0);
    cr_assert_gt(info.nlinks, 0);
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[128];
        H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                           H5P_DEFAULT);
        run_case(file, kind, name, pred_name, diff_name, logits);
    }
    H5Gclose(group);
    H5Fclose(file);
}

Test(sparse_categorical_crossentropy, golden_from_logits)
{
    run_all("from_logits", "logits", "diff_logits", true);
}

Test(sparse_categorical_crossentropy, golden_from_probabilities)
{
    run_all("from_probabilities", "probabilities", "diff_probabilities", false);
}

Test(sparse_categorical_crossentropy, padding_counts_nothing)
{
    const float pred[8] = {1, 2, 3, 4, NAN, INFINITY, 5, 6};
    float diff[8];
    memset(diff, 0xff, sizeof diff);
    const int32_t y[2] = {1, 1};
    const tr_loss_task task = {.pred = pred,
                               .diff = diff,
                               .targets = {.classes = y},
                               .n = 2,
                               .n_padded = 4,
                               .width = 2,
                               .weight = 0.5f};
    const tr_loss loss = loss_of(true);
    cr_assert(isfinite(tr_loss_run(&loss, &task)));
    for (int i = 4; i < 8; i++)
        cr_assert_eq(diff[i], 0.0f);
}

Test(sparse_categorical_crossentropy, nan_is_not_hidden)
{
    const float pred[2] = {NAN, 0.5f};
    const int32_t y = 0;
    const tr_loss_task task = {.pred = pred,
                               .targets = {.classes = &y},
                               .n = 1,
                               .n_padded = 1,
                               .width = 2,
                               .weight = 1.0f};
    const tr_loss on_logits = loss_of(true), on_probabilities = loss_of(false);
    cr_assert(isnan(tr_loss_run(&on_logits, &task)));
    cr_assert(isnan(tr_loss_run(&on_probabilities, &task)));
}
