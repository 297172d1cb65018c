/* test_sparse_categorical_crossentropy.c -- values and gradients against NumPy in float64. */
#include <criterion/criterion.h>
#include <math.h>

#include "loss_case.h"
#include "mem.h"
#include "net.h"

static const char name[] = "sparse_categorical_crossentropy";

/* One golden case: per-sample losses, summed; gradient of the mean. */
static void run_case(hid_t file, const char *kind, const char *case_name, const char *pred_name,
                     const char *diff_name, bool logits)
{
    char path[256];
    size_t n, n_pred, n_diff;
    const tr_loss loss = test_loss(name, logits ? TEST_FROM_LOGITS : TEST_PROBABILITIES, 0.0);
#define LOAD(what, count)                                                                          \
    (snprintf(path, sizeof path, "%s/%s/%s", kind, case_name, what),                               \
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
        cr_assert(fabs(value - (double)golden_loss[i]) <=
                      2e-6 + 1e-6 * fabs((double)golden_loss[i]),
                  "%s/%s sample %zu: %.9g, expected %.9g", kind, case_name, i, value,
                  (double)golden_loss[i]);
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
    test_close(case_name, diff, golden_diff, n_diff, 2e-7, 1e-5);
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
        char case_name[128];
        H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, case_name, sizeof case_name,
                           H5P_DEFAULT);
        run_case(file, kind, case_name, pred_name, diff_name, logits);
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

Test(sparse_categorical_crossentropy, passes_what_all_losses_must_taken_over)
{
    test_loss_golden(name, TEST_TAKEN_OVER);
    test_loss_slopes(name, TEST_TAKEN_OVER);
    test_loss_padding(name, TEST_TAKEN_OVER);
    test_loss_nan(name, TEST_TAKEN_OVER);
}

Test(sparse_categorical_crossentropy, passes_what_all_losses_must_from_logits)
{
    test_loss_golden(name, TEST_FROM_LOGITS);
    test_loss_slopes(name, TEST_FROM_LOGITS);
    test_loss_padding(name, TEST_FROM_LOGITS);
    test_loss_nan(name, TEST_FROM_LOGITS);
}

Test(sparse_categorical_crossentropy, passes_what_all_losses_must_probabilities)
{
    test_loss_golden(name, TEST_PROBABILITIES);
    test_loss_slopes(name, TEST_PROBABILITIES);
    test_loss_padding(name, TEST_PROBABILITIES);
    test_loss_nan(name, TEST_PROBABILITIES);
}
