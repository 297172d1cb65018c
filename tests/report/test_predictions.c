/* test_predictions.c -- predictions as CSV, as HDF5 and as sentences, for every kind of network. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "predictions.h"

#define NET(units, activation, loss)                                                               \
    "[model]\ninput_shape = 2, 2, 1\n[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\n"         \
    "units = " units "\nactivation = " activation "\n[compile]\nloss = " loss                      \
    "\noptimizer = adam\n"

static tr_config *config;

static tr_model *parse(const char *body)
{
    tr_error err = {0};
    tr_model *model = NULL;
    config = test_config(body, NULL, 0);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    return model;
}

static void expect(const char *body, void (*print)(FILE *, const tr_predictions *),
                   const float *values, int64_t n, const char *const *files, const char *expected)
{
    char *text = NULL;
    size_t bytes = 0;
    tr_model *model = parse(body);
    const tr_predictions predictions = {model, values, n, files};
    FILE *out = open_memstream(&text, &bytes);
    print(out, &predictions);
    fclose(out);
    cr_assert_str_eq(text, expected);
    free(text);
    tr_model_free(model);
    tr_config_free(config);
}

static const float three[] = {0.125f, 0.5f, 0.375f, 0.25f, 0.25f, 0.5f};
static const char softmax[] = NET("3", "softmax", "sparse_categorical_crossentropy");
static const char sigmoid[] = NET("1", "sigmoid", "binary_crossentropy");
static const char regression[] = NET("2", "linear", "mean_squared_error");

Test(predictions, csv)
{
    const char *const files[] = {"a.png", "odd, \"name\".png"};
    const float one[] = {0.75f, 0.5f}, two[] = {1.5f, -2.0f};
    expect(softmax, tr_predictions_print_csv, three, 2, NULL,
           "sample,class,p0,p1,p2\n0,1,0.125,0.5,0.375\n1,2,0.25,0.25,0.5\n");
    expect(softmax, tr_predictions_print_csv, three, 2, files,
           "file,class,p0,p1,p2\na.png,1,0.125,0.5,0.375\n\"odd, \"\"name\"\".png\",2,0.25,0.25,"
           "0.5\n");
    expect(sigmoid, tr_predictions_print_csv, one, 2, NULL, "sample,class,p1\n0,1,0.75\n1,0,0.5\n");
    expect(regression, tr_predictions_print_csv, two, 1, NULL, "sample,y0,y1\n0,1.5,-2\n");
}

Test(predictions, sentences)
{
    const char *const files[] = {"a.png", "b.png"};
    const float one[] = {0.75f, 0.25f}, two[] = {1.5f, -2.0f};
    expect(softmax, tr_predictions_print_lines, three, 2, files,
           "a.png: class 1 (0.5000), then 2 (0.3750), 0 (0.1250)\n"
           "b.png: class 2 (0.5000), then 0 (0.2500), 1 (0.2500)\n");
    expect(sigmoid, tr_predictions_print_lines, one, 2, files,
           "a.png: class 1 (0.7500)\nb.png: class 0 (0.7500)\n");
    expect(regression, tr_predictions_print_lines, two, 1, NULL, "0: 1.5, -2\n");
}

/* The class of a logit is on the other side of 0, not of 0.5. */
Test(predictions, logits_are_no_probabilities)
{
    const float logits[] = {0.25f, -0.25f};
    expect("[model]\ninput_shape = 2, 2, 1\n[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\n"
           "units = 1\n[compile]\nloss = binary_crossentropy\noptimizer = adam\n[loss]\n"
           "from_logits = true\n",
           tr_predictions_print_csv, logits, 2, NULL, "sample,class,y1\n0,1,0.25\n1,0,-0.25\n");
}

Test(predictions, hdf5)
{
    tr_error err = {0};
    char path[600];
    tr_model *model = parse(softmax);
    const tr_predictions predictions = {model, three, 2, NULL};
    snprintf(path, sizeof path, "%s/p.h5", test_folder());
    cr_assert_eq(tr_predictions_write(path, &predictions, &err), TR_OK, "%s", err.text);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    size_t n;
    float *values = test_golden_floats(file, "predictions", &n);
    cr_assert(n == 6 && memcmp(values, three, sizeof three) == 0);
    float *classes = test_golden_floats(file, "classes", &n);
    cr_assert(n == 2 && classes[0] == 1 && classes[1] == 2);
    H5Fclose(file);
    snprintf(path, sizeof path, "%s/p.txt", test_folder());
    cr_assert_eq(tr_predictions_write(path, &predictions, &err), TR_ERR_CONFIG);
    cr_assert_not_null(strstr(err.text, "allowed: .csv, .h5, .hdf5"), "%s", err.text);
    cr_assert_eq(tr_predictions_write("/nowhere/p.csv", &predictions, &err), TR_ERR_IO);
}
