/* test_target_classes.c -- the classes of yes-or-no targets and one-hot rows, numbered as
 * scikit-learn's stratify=y numbers them. */
#include "data_fixture.h"

static void expect_classes(const float *values, int64_t n, int64_t width, const int32_t *expected)
{
    int32_t classes[16];
    tr_error err = {0};
    const tr_samples samples = {.n = n, .width = width, .values = values};
    cr_assert_eq(tr_targets_no_class(&samples), -1);
    cr_assert_eq(tr_targets_classes(classes, &samples, &err), TR_OK, "%s", err.text);
    for (int64_t i = 0; i < n; i++)
        cr_expect_eq(classes[i], expected[i], "%lld: %d", (long long)i, classes[i]);
    expect_no_leak();
}

Test(target_classes, no_is_0_and_yes_is_1)
{
    expect_classes((float[]){1, 0, 0, 1, 1}, 5, 1, (int32_t[]){1, 0, 0, 1, 1});
    expect_classes((float[]){1, 1}, 2, 1, (int32_t[]){0, 0}); /* one class only */
}

/* scikit-learn compares rows as texts, "1 0 0" behind "0 1 0": the last place is the first class.
 */
Test(target_classes, one_hot_rows)
{
    expect_classes((float[]){1, 0, 0, /**/ 0, 0, 1, /**/ 0, 1, 0, /**/ 0, 0, 1}, 4, 3,
                   (int32_t[]){2, 0, 1, 0});
}

Test(target_classes, each_combination_of_answers_is_one)
{
    expect_classes((float[]){1, 1, /**/ 0, 0, /**/ 1, 0, /**/ 0, 1, /**/ 1, 1, /**/ -0.0f, 0}, 6, 2,
                   (int32_t[]){3, 0, 2, 1, 3, 0});
}

Test(target_classes, other_values_have_none)
{
    const float shares[] = {1, 0, 0.5f, 0.5f};
    cr_expect_eq(tr_targets_no_class(&(tr_samples){.n = 2, .width = 2, .values = shares}), 1);
    const float numbers[] = {0, 1, 2};
    cr_expect_eq(tr_targets_no_class(&(tr_samples){.n = 3, .width = 1, .values = numbers}), 2);
}

/* Typed from a Python session, scikit-learn's train_test_split(np.arange(10), test_size=0.4,
 * random_state=1, stratify=y), y the one-hot rows of [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]. */
Test(target_classes, split_of_one_hot_rows_is_scikit_learns)
{
    float rows[20] = {0};
    int32_t classes[10];
    for (int i = 0; i < 10; i++)
        rows[2 * i + (i >= 6)] = 1.0f;
    const tr_samples samples = {.n = 10, .width = 2, .values = rows};
    const uint32_t train[6] = {4, 9, 5, 2, 0, 8}, validation[4] = {1, 6, 7, 3};
    tr_split split;
    cr_assert_eq(tr_targets_classes(classes, &samples, NULL), TR_OK);
    cr_assert_eq(tr_split_make_stratified(&split, classes, 10, 0.4, 1, NULL), TR_OK);
    cr_expect_arr_eq(split.train, train, sizeof train);
    cr_expect_arr_eq(split.validation, validation, sizeof validation);
    tr_split_release(&split);
}
