/* test_evaluation_files.c -- an evaluation as JSON and CSV, with names that want to break both. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluation_files.h"
#include "mem.h"
#include "net.h"

static int64_t counts[9] = {40, 3, 0, 2, 25, 0, 4, 1, 0};
static char *names[3] = {"say \"cat\"", "a,b", "</script>\\"};
static const tr_legend legend = {.n_classes = 3, .class_names = names};

static tr_model *model_of(tr_config **config, const char *layer, const char *compile)
{
    char body[512];
    tr_error err = {0};
    tr_model *model = NULL;
    snprintf(body, sizeof body,
             "[model]\ninput_shape = 2, 2, 1\n[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\n"
             "%s[compile]\noptimizer = adam\n%s",
             layer, compile);
    *config = test_config(body, NULL, 0);
    cr_assert_eq(tr_model_parse(&model, *config, &err), TR_OK);
    cr_assert_eq(tr_config_check(*config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_build_for_inference(model, &err), TR_OK, "%s", err.text);
    return model;
}

static json_t *json_of(const tr_model *model, const tr_evaluation *evaluation)
{
    char *text = NULL;
    size_t bytes = 0;
    tr_error err = {0};
    json_error_t where;
    FILE *out = open_memstream(&text, &bytes);
    cr_assert_eq(tr_evaluation_print_json(out, model, evaluation, &err), TR_OK, "%s", err.text);
    fclose(out);
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    cr_assert_not_null(json, "%s\n%s", where.text, text);
    free(text);
    return json;
}

static double real(json_t *json, const char *a, const char *b)
{
    return json_number_value(json_object_get(json_object_get(json, a), b));
}

Test(evaluation_files, json_of_classes)
{
    tr_error err = {0};
    tr_config *config;
    tr_model *model = model_of(&config, "units = 3\nactivation = softmax\n",
                               "loss = categorical_crossentropy\nmetrics = accuracy, mse\n");
    cr_assert_eq(tr_model_set_legend(model, &legend, &err), TR_OK);
    const tr_evaluation evaluation = {
        .metrics = {.loss = 0.5, .values = {65.0 / 78.0, 0.25}, .n = 78},
        .confusion = {3, counts},
        .n_wrong = 2,
        .mistakes = {{12, 2, 0, 0.75}, {3, 1, 0, 0.5}}};
    json_t *json = json_of(model, &evaluation);
    cr_expect_eq(json_integer_value(json_object_get(json, "samples")), 78);
    cr_expect_eq(real(json, "loss", "value"), 0.5);
    cr_expect_str_eq(json_string_value(json_object_get(json_object_get(json, "loss"), "name")),
                     "categorical_crossentropy");
    json_t *metrics = json_object_get(json, "metrics");
    cr_expect(fabs(real(metrics, "accuracy", "value") - 65.0 / 78.0) < 1e-14);
    cr_expect(fabs(real(metrics, "accuracy", "standard_error") -
                   tr_standard_error(65.0 / 78.0, 78)) < 1e-14);
    json_t *wilson = json_object_get(json_object_get(metrics, "accuracy"), "wilson_95");
    cr_expect(fabs(json_number_value(json_array_get(wilson, 0)) - 0.735444247692) < 1e-12);
    cr_expect_eq(real(metrics, "mse", "value"), 0.25);
    cr_expect_null(json_object_get(json_object_get(metrics, "mse"), "standard_error"));
    json_t *classes = json_object_get(json, "classes"), *third = json_array_get(classes, 2);
    cr_assert_eq(json_array_size(classes), 3);
    cr_expect_str_eq(json_string_value(json_object_get(third, "name")), names[2]);
    cr_expect(json_is_null(json_object_get(third, "precision"))); /* it is never said */
    cr_expect_eq(json_integer_value(json_object_get(third, "support")), 5);
    cr_expect_eq(json_integer_value(json_object_get(third, "predicted")), 0);
    json_t *row = json_array_get(json_object_get(json, "confusion"), 1);
    cr_expect_eq(json_integer_value(json_array_get(row, 0)), 2);
    cr_expect_eq(json_integer_value(json_object_get(json, "wrong")), 2);
    json_t *first = json_array_get(json_object_get(json, "mistakes"), 0);
    cr_assert_eq(json_array_size(json_object_get(json, "mistakes")), 2);
    cr_expect_eq(json_integer_value(json_object_get(first, "sample")), 12);
    cr_expect_str_eq(json_string_value(json_object_get(first, "predicted_name")), names[0]);
    cr_expect_eq(json_number_value(json_object_get(first, "confidence")), 0.75);
    cr_expect_eq(strlen(json_string_value(json_object_get(json, "parameters"))), 32);
    json_decref(json);
    tr_model_free(model);
    tr_config_free(config);
}

/* What the network does not have is not there. */
Test(evaluation_files, json_of_values_and_of_answers)
{
    tr_config *config;
    tr_model *model = model_of(&config, "units = 2\n", "loss = mean_squared_error\n");
    const tr_evaluation values = {.metrics = {.loss = 0.5, .n = 4}};
    json_t *json = json_of(model, &values);
    static const char *const absent[] = {"classes", "answers",  "averages",
                                         "wrong",   "mistakes", "confusion"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        cr_expect_null(json_object_get(json, absent[i]), "%s", absent[i]);
    json_decref(json);
    tr_model_free(model);
    tr_config_free(config);
    model = model_of(&config, "units = 2\nactivation = sigmoid\n", "loss = binary_crossentropy\n");
    tr_answer_counts answers[2] = {{.right = 3, .wrong = 1, .missed = 2}, {0}};
    json =
        json_of(model, &(tr_evaluation){.metrics = {.n = 4}, .n_answers = 2, .answers = answers});
    json_t *answer = json_array_get(json_object_get(json, "answers"), 0);
    cr_expect_eq(json_number_value(json_object_get(answer, "precision")), 0.75);
    cr_expect_eq(json_integer_value(json_object_get(answer, "answer")), 0);
    cr_expect_null(json_object_get(answer, "name"));
    cr_expect_null(json_object_get(json, "confusion"));
    json_decref(json);
    tr_model_free(model);
    tr_config_free(config);
}

Test(evaluation_files, confusion_as_csv)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    const tr_confusion confusion = {3, counts};
    tr_confusion_print_csv(out, &confusion, &legend);
    tr_confusion_print_csv(out, &(tr_confusion){1, counts}, &(tr_legend){0});
    fclose(out);
    cr_assert_str_eq(text, "true class \\ predicted,\"say \"\"cat\"\"\",\"a,b\",</script>\\\n"
                           "\"say \"\"cat\"\"\",40,3,0\n\"a,b\",2,25,0\n</script>\\,4,1,0\n"
                           "true class \\ predicted,0\n0,40\n");
    free(text);
}
