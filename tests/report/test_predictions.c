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
    const tr_predictions predictions = {.model = model, .values = values, .n = n, .files = files};
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
    const tr_predictions predictions = {.model = model, .values = three, .n = 2};
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
    cr_assert_not_null(strstr(err.text, "allowed: .csv, .json, .h5, .hdf5"), "%s", err.text);
    cr_assert_eq(tr_predictions_write("/nowhere/p.csv", &predictions, &err), TR_ERR_IO);
}

/* ---- names ---- */

static char *names_of(const tr_predictions *predictions,
                      void (*print)(FILE *, const tr_predictions *))
{
    static char *text; /* GCC 12 takes what open_memstream() makes for the pointer's own address */
    static size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    print(out, predictions);
    fclose(out);
    return text;
}

Test(predictions, with_names_and_labels)
{
    char *names[3] = {"cat", "", "dog, wet"};
    static const char *const files[] = {"a\033[2J.png", "b.png"};
    static const int32_t labels[] = {1, -1};
    tr_error err = {0};
    tr_model *model = parse(softmax);
    cr_assert_eq(
        tr_model_set_legend(model, &(tr_legend){.n_classes = 3, .class_names = names}, &err),
        TR_OK);
    tr_predictions predictions = {
        .model = model, .values = three, .n = 2, .files = files, .labels = labels, .top = 2};
    char *text = names_of(&predictions, tr_predictions_print_lines);
    cr_assert_str_eq(text, "a?[2J.png: class 1 (0.5000), then dog, wet (0.3750)\n"
                           "b.png: dog, wet (0.5000), then cat (0.2500)\n");
    free(text);
    text = names_of(&predictions, tr_predictions_print_csv);
    cr_assert_str_eq(text, "file,rank,class,name,probability,label\n"
                           "a\033[2J.png,1,1,,0.5,1\n"
                           "a\033[2J.png,2,2,\"dog, wet\",0.375,1\n"
                           "b.png,1,2,\"dog, wet\",0.5,\nb.png,2,0,cat,0.25,\n");
    free(text);
    static const int32_t wrong[] = {2, 0};
    predictions.labels = wrong;
    predictions.top = 1;
    text = names_of(&predictions, tr_predictions_print_lines);
    cr_assert_str_eq(text, "a?[2J.png: class 1 (0.5000); wrong: dog, wet\n"
                           "b.png: dog, wet (0.5000); wrong: cat\n");
    free(text);
    tr_model_free(model);
    tr_config_free(config);
}

/* Of several questions those that are answered with yes. */
Test(predictions, answers_by_name)
{
    static const float values[] = {0.75f, 0.5f, 0.625f, 0.25f, 0.5f, 0.125f};
    char *names[3] = {"dog", "night", "rain"};
    tr_error err = {0};
    tr_model *model = parse(NET("3", "sigmoid", "binary_crossentropy"));
    cr_assert_eq(
        tr_model_set_legend(model, &(tr_legend){.n_classes = 3, .class_names = names}, &err),
        TR_OK);
    const tr_predictions predictions = {.model = model, .values = values, .n = 2, .first = 7};
    char *text = names_of(&predictions, tr_predictions_print_lines);
    cr_assert_str_eq(text, "7: dog (0.7500), rain (0.6250)\n8: none\n");
    free(text);
    tr_model_free(model);
    tr_config_free(config);
}
