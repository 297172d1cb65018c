/* test_keras_json.c -- model_config and training_config, against a file that Keras 3.3, 3.9
 * and 3.16 opened, evaluated and trained (tests/golden/keras_universal.json), and by the letter.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "h5_write.h"
#include "keras_json.h"
#include "mem.h"
#include "net.h"
#include "trainer/checkpoint.h"

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

/* The text as JSON; released with json_decref(). */
static json_t *loaded(char *text)
{
    json_error_t at;
    cr_assert_not_null(text);
    json_t *json = json_loads(text, 0, &at);
    cr_assert_not_null(json, "%s in %s", at.text, text);
    tr_free(text);
    return json;
}

/* ---- the tutorial's network, as Keras took it ---- */

/* Every key of theirs is ours with the same value; names are our own. */
static void expect_within(const char *what, json_t *theirs, json_t *ours)
{
    const char *key;
    json_t *value;
    json_object_foreach(theirs, key, value)
    {
        if (strcmp(key, "name") == 0 || strcmp(key, "metrics") == 0)
            continue; /* metrics: below */
        char *a = json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS);
        char *b = json_dumps(json_object_get(ours, key), JSON_ENCODE_ANY | JSON_SORT_KEYS);
        cr_assert(b != NULL && strcmp(a, b) == 0, "%s, %s: %s, expected %s", what, key, b, a);
        free(a);
        free(b);
    }
}

Test(keras_json, is_the_form_that_keras_took)
{
    tr_error err = {0};
    tr_model *model = NULL;
    cr_assert_eq(tr_config_load(&config, TR_SOURCE "/configs/mnist.ini", NULL, 0, &err), TR_OK);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    json_t *golden = json_load_file(TR_GOLDEN "/keras_universal.json", 0, NULL);
    json_t *ours = loaded(tr_keras_model_config(model, NULL));
    json_t *a = json_object_get(json_object_get(json_object_get(golden, "model_config"), "config"),
                                "layers");
    json_t *b = json_object_get(json_object_get(ours, "config"), "layers");
    cr_assert_eq(json_array_size(a), 7);
    cr_assert_eq(json_array_size(b), 7);
    for (size_t i = 0; i < 7; i++) {
        json_t *x = json_array_get(a, i), *y = json_array_get(b, i);
        const char *class_name = json_string_value(json_object_get(x, "class_name"));
        cr_assert_str_eq(json_string_value(json_object_get(y, "class_name")), class_name);
        expect_within(class_name, json_object_get(x, "config"), json_object_get(y, "config"));
    }
    json_decref(ours);
    ours = loaded(tr_keras_training_config(model));
    expect_within("training", json_object_get(golden, "training_config"),
                  json_object_get(ours, "optimizer_config") == NULL ? NULL : ours);
    json_decref(ours);
    json_decref(golden);
    tr_model_free(model);
    tr_config_free(config);
}

/* ---- by the letter ---- */

static json_t *layer_config(json_t *json, size_t i)
{
    return json_object_get(
        json_array_get(json_object_get(json_object_get(json, "config"), "layers"), i), "config");
}

/* An unknown key makes Keras refuse the whole file, so every layer's are compared as a whole. */
Test(keras_json, every_layer_says_what_keras_knows)
{
    static const char body[] =
        "[model]\ninput_shape = 12, 10, 3\nname = mine\n"
        "[layer.z]\ntype = zero_padding2d\npadding = 1, 2, 3, 4\n"
        "[layer.a]\ntype = average_pooling2d\npool_size = 3\nstrides = 2\npadding = same\n"
        "[layer.t]\ntype = activation\nactivation = leaky_relu\n"
        "[layer.b]\ntype = batch_normalization\nmomentum = 0.5\n"
        "[layer.d]\ntype = dropout\nrate = 0.25\n"
        "[layer.g]\ntype = global_average_pooling2d\nkeepdims = true\n"
        "[layer.m]\ntype = global_max_pooling2d\n"
        "[layer.o]\ntype = dense\nunits = 4\nuse_bias = false\nactivation = softmax\n";
    static const char *const expected[] = {
        "{\"batch_input_shape\":[null,12,10,3],\"dtype\":\"float32\",\"name\":\"input_1\","
        "\"ragged\":false,\"sparse\":false}",
        "{\"data_format\":\"channels_last\",\"dtype\":\"float32\",\"name\":\"z\","
        "\"padding\":[[1,2],[3,4]],\"trainable\":true}",
        "{\"data_format\":\"channels_last\",\"dtype\":\"float32\",\"name\":\"a\","
        "\"padding\":\"same\",\"pool_size\":[3,3],\"strides\":[2,2],\"trainable\":true}",
        "{\"activation\":\"leaky_relu\",\"dtype\":\"float32\",\"name\":\"t\",\"trainable\":true}",
        "{\"axis\":-1,\"beta_constraint\":null,\"beta_initializer\":{\"class_name\":\"Zeros\","
        "\"config\":{}},\"beta_regularizer\":null,\"center\":true,\"dtype\":\"float32\","
        "\"epsilon\":0.001,\"gamma_constraint\":null,\"gamma_initializer\":{\"class_name\":"
        "\"Ones\",\"config\":{}},\"gamma_regularizer\":null,\"momentum\":0.5,"
        "\"moving_mean_initializer\":{\"class_name\":\"Zeros\",\"config\":{}},"
        "\"moving_variance_initializer\":{\"class_name\":\"Ones\",\"config\":{}},"
        "\"name\":\"b\",\"scale\":true,\"trainable\":true}",
        "{\"dtype\":\"float32\",\"name\":\"d\",\"noise_shape\":null,\"rate\":0.25,\"seed\":null,"
        "\"trainable\":true}",
        "{\"data_format\":\"channels_last\",\"dtype\":\"float32\",\"keepdims\":true,"
        "\"name\":\"g\",\"trainable\":true}",
        "{\"data_format\":\"channels_last\",\"dtype\":\"float32\",\"keepdims\":false,"
        "\"name\":\"m\",\"trainable\":true}",
        "{\"activation\":\"softmax\",\"activity_regularizer\":null,\"bias_constraint\":null,"
        "\"bias_initializer\":{\"class_name\":\"Zeros\",\"config\":{}},\"bias_regularizer\":null,"
        "\"dtype\":\"float32\",\"kernel_constraint\":null,\"kernel_initializer\":"
        "{\"class_name\":\"GlorotUniform\",\"config\":{\"seed\":null}},"
        "\"kernel_regularizer\":null,\"name\":\"o\",\"trainable\":true,\"units\":4,"
        "\"use_bias\":false}",
    };
    tr_model *model = parse(body);
    json_t *json = loaded(tr_keras_model_config(model, NULL));
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        char *text = json_dumps(layer_config(json, i), JSON_COMPACT | JSON_SORT_KEYS);
        cr_assert_not_null(text, "layer %zu", i);
        cr_assert_str_eq(text, expected[i]);
        free(text);
    }
    cr_assert_str_eq(json_string_value(json_object_get(json_object_get(json, "config"), "name")),
                     "mine");
    json_decref(json);
    tr_model_free(model);
    tr_config_free(config);
}

/* ---- graphs ---- */

static const char shortcut[] =
    "[model]\ninput_shape = 4, 6, 3\nname = short\n"
    "[layer.a]\ntype = conv2d\nfilters = 3\nkernel_size = 1\ntrainable = no\n"
    "[layer.input_1]\ntype = conv2d\nfilters = 3\nkernel_size = 1\ninputs = input\n"
    "[layer.s]\ntype = add\ninputs = input_1, a\n[layer.f]\ntype = flatten\n"
    "[layer.o]\ntype = concatenate\ninputs = f, f\n[compile]\nloss = mse\noptimizer = adam\n";

static void expect_calls(json_t *json, const char *const (*expected)[2], size_t n)
{
    json_t *layers = json_object_get(json_object_get(json, "config"), "layers");
    cr_assert_eq(json_array_size(layers), n);
    for (size_t i = 0; i < n; i++) {
        json_t *layer = json_array_get(layers, i);
        char *calls = json_dumps(json_object_get(layer, "inbound_nodes"), JSON_COMPACT);
        const char *name = json_string_value(json_object_get(layer, "name"));
        cr_expect_str_eq(name, expected[i][0]);
        cr_expect_str_eq(json_string_value(json_object_get(layer_config(json, i), "name")), name);
        cr_expect_str_eq(calls, expected[i][1]);
        free(calls);
    }
}

static void expect_ends(json_t *json, const char *class_name, const char *input, const char *output)
{
    json_t *model = json_object_get(json, "config");
    char *a = json_dumps(json_object_get(model, "input_layers"), JSON_COMPACT);
    char *b = json_dumps(json_object_get(model, "output_layers"), JSON_COMPACT);
    cr_expect_str_eq(json_string_value(json_object_get(json, "class_name")), class_name);
    cr_expect_str_eq(a, input);
    cr_expect_str_eq(b, output);
    free(a);
    free(b);
}

/* In Keras's order: the one that the sum takes first. The input has a name of its own. */
Test(keras_json, graphs_are_functional)
{
    static const char *const calls[][2] = {
        {"input_1_", "[]"},
        {"input_1", "[[[\"input_1_\",0,0,{}]]]"},
        {"a", "[[[\"input_1_\",0,0,{}]]]"},
        {"s", "[[[\"input_1\",0,0,{}],[\"a\",0,0,{}]]]"},
        {"f", "[[[\"s\",0,0,{}]]]"},
        {"o", "[[[\"f\",0,0,{}],[\"f\",0,0,{}]]]"},
    };
    tr_model *model = parse(shortcut);
    json_t *json = loaded(tr_keras_model_config(model, NULL));
    expect_calls(json, calls, 6);
    expect_ends(json, "Functional", "[[\"input_1_\",0,0]]", "[[\"o\",0,0]]");
    cr_expect(json_is_true(json_object_get(layer_config(json, 1), "trainable")));
    cr_expect(json_is_false(json_object_get(layer_config(json, 2), "trainable")));
    cr_expect_null(json_object_get(layer_config(json, 3), "inputs"));
    json_decref(json);
    tr_model_free(model);
    tr_config_free(config);
}

#define TENSOR(name, shape)                                                                        \
    "{\"class_name\":\"__keras_tensor__\",\"config\":{\"shape\":" shape                            \
    ",\"dtype\":\"float32\",\"keras_history\":[\"" name "\",0,0]}}"
#define ONE(tensor) "[{\"args\":[" tensor "],\"kwargs\":{}}]"

Test(keras_json, graphs_of_keras_3)
{
    static const char *const calls[][2] = {
        {"input_layer", "[]"},
        {"input_1", ONE(TENSOR("input_layer", "[null,4,6,3]"))},
        {"a", ONE(TENSOR("input_layer", "[null,4,6,3]"))},
        {"s", ONE("[" TENSOR("input_1", "[null,4,6,3]") "," TENSOR("a", "[null,4,6,3]") "]")},
        {"f", ONE(TENSOR("s", "[null,4,6,3]"))},
        {"o", ONE("[" TENSOR("f", "[null,72]") "," TENSOR("f", "[null,72]") "]")},
    };
    tr_model *model = parse(shortcut);
    json_t *json = loaded(tr_keras3_config(model, NULL));
    expect_calls(json, calls, 6);
    expect_ends(json, "Functional", "[[\"input_layer\",0,0]]", "[[\"o\",0,0]]");
    cr_expect_str_eq(json_string_value(json_object_get(json, "module")),
                     "keras.src.models.functional");
    json_decref(json);
    tr_model_free(model);
    tr_config_free(config);
}

static void expect_training(const char *compile, const char *expected)
{
    char *body = tr_format("[model]\ninput_shape = 4, 4, 1\n[layer.f]\ntype = flatten\n[layer.o]\n"
                           "type = dense\nunits = 7\nactivation = softmax\n[compile]\n%s",
                           compile);
    tr_model *model = parse(body);
    tr_optimizer *optimizer = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_optimizer_make(&optimizer, config, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    char *text = tr_keras_training_config(model);
    cr_assert_str_eq(text, expected);
    tr_free(text);
    tr_free(body);
    tr_free(optimizer);
    tr_model_free(model);
    tr_config_free(config);
}

#define MODULE "\"module\":\"keras.optimizers\",\"registered_name\":null"
#define DECAYED                                                                                    \
    "{\"class_name\":\"InverseTimeDecay\",\"config\":{\"initial_learning_rate\":1.0,"              \
    "\"decay_steps\":1,\"decay_rate\":0.5,\"staircase\":false},\"module\":"                        \
    "\"keras.optimizers.schedules\",\"registered_name\":null}"

Test(keras_json, training_says_what_differs_from_the_defaults)
{
    expect_training("loss = mse\noptimizer = sgd\n",
                    "{\"loss\":\"mean_squared_error\",\"metrics\":[],\"weighted_metrics\":null,"
                    "\"loss_weights\":null,\"optimizer_config\":{\"class_name\":\"SGD\",\"config\":"
                    "{\"name\":\"SGD\",\"learning_rate\":0.01,\"momentum\":0.0,\"nesterov\":false}}"
                    "}");
    expect_training(
        "loss = categorical_crossentropy\noptimizer = rmsprop\nmetrics = accuracy, top_k\n"
        "top_k = 3\n[loss]\nlabel_smoothing = 0.1\n[optimizer]\nlearning_rate = 1\n"
        "global_clipnorm = 2\n",
        "{\"loss\":{\"class_name\":\"CategoricalCrossentropy\",\"config\":{\"label_smoothing\":0.1,"
        "\"reduction\":\"sum_over_batch_size\",\"name\":\"categorical_crossentropy\"}},"
        "\"metrics\":[{\"class_name\":\"CategoricalAccuracy\",\"config\":{\"name\":\"accuracy\","
        "\"dtype\":\"float32\"}},{\"class_name\":\"TopKCategoricalAccuracy\",\"config\":{\"name\":"
        "\"top_k_categorical_accuracy\",\"dtype\":\"float32\",\"k\":3}}],\"weighted_metrics\":null,"
        "\"loss_weights\":null,\"optimizer_config\":{\"class_name\":\"RMSprop\",\"config\":{"
        "\"name\":\"RMSprop\",\"learning_rate\":1.0,\"rho\":0.9,\"momentum\":0.0,"
        "\"epsilon\":1e-7,\"centered\":false,\"global_clipnorm\":2.0}}}");
    expect_training(
        "loss = sparse_categorical_crossentropy\noptimizer = adamw\n[learning_rate]\n"
        "schedule = piecewise_constant_decay\nboundaries = 1, 3\nvalues = 0.01, 0.002, 1\n",
        "{\"loss\":\"sparse_categorical_crossentropy\",\"metrics\":[],\"weighted_metrics\":null,"
        "\"loss_weights\":null,\"optimizer_config\":{\"class_name\":\"AdamW\",\"config\":{"
        "\"name\":\"AdamW\",\"learning_rate\":{\"class_name\":\"PiecewiseConstantDecay\","
        "\"config\":{\"boundaries\":[1.0,3.0],\"values\":[0.01,0.002,1.0]},"
        "\"module\":\"keras.optimizers.schedules\",\"registered_name\":null},"
        "\"beta_1\":0.9,\"beta_2\":0.999,\"epsilon\":1e-7,\"amsgrad\":false,"
        "\"weight_decay\":0.004}}}");
}

/* What a group has from [optimizer] is no default of Keras's. */
Test(keras_json, groups_are_a_multi_optimizer)
{
    expect_training(
        "loss = mse\noptimizer = sgd\n[optimizer]\nclipnorm = 1\nmomentum = 0.5\n"
        "[learning_rate]\nschedule = inverse_time_decay\ninitial_learning_rate = 1\n"
        "decay_steps = 1\ndecay_rate = 0.5\n[optimizer.a]\nlayers = o\nuse_ema = false\n"
        "nesterov = true\n",
        "{\"loss\":\"mean_squared_error\",\"metrics\":[],\"weighted_metrics\":null,"
        "\"loss_weights\":null,\"optimizer_config\":{\"class_name\":\"MultiOptimizer\",\"config\":"
        "{\"optimizer_map\":{\"class_name\":\"OptimizerMap\",\"config\":{\"default_optimizer\":"
        "{\"class_name\":\"SGD\",\"config\":{\"name\":\"sgd\",\"learning_rate\":" DECAYED
        ",\"momentum\":0.5,\"nesterov\":false,\"clipnorm\":1.0}," MODULE
        "},\"optimizer_map\":{\"(.*/)?(o)/[^/]*\":{\"class_name\":\"SGD\",\"config\":{\"name\":"
        "\"sgd\",\"learning_rate\":" DECAYED
        ",\"momentum\":0.5,\"nesterov\":true,\"clipnorm\":1.0}," MODULE "}}}," MODULE
        "},\"name\":\"multi_optimizer\"}}}");
}

/* ---- metrics ---- */

typedef struct metric_case {
    const char *units, *compile, *classes, *names;
} metric_case;

/* Keras 2 takes the word "accuracy" of a file for equality of numbers: what stands there is the
 * class that loss and outputs make of it. tests/keras/run.sh evaluates them in real Kerases. */
static const metric_case metric_cases[] = {
    {"7", "loss = sparse_categorical_crossentropy\nmetrics = accuracy, top_k\n",
     "SparseCategoricalAccuracy SparseTopKCategoricalAccuracy ",
     "accuracy sparse_top_k_categorical_accuracy "},
    {"7", "loss = categorical_crossentropy\nmetrics = acc, mse, mae, top_k\n",
     "CategoricalAccuracy MeanSquaredError MeanAbsoluteError TopKCategoricalAccuracy ",
     "acc mse mae top_k_categorical_accuracy "},
    {"7", "loss = binary_crossentropy\nmetrics = accuracy, binary_accuracy\n",
     "CategoricalAccuracy BinaryAccuracy ", "accuracy binary_accuracy "},
    {"1", "loss = binary_crossentropy\nmetrics = accuracy, mean_squared_error\n",
     "BinaryAccuracy MeanSquaredError ", "accuracy mean_squared_error "},
    {"1", "loss = mse\nmetrics = mean_absolute_error\n", "MeanAbsoluteError ",
     "mean_absolute_error "},
};

static void append(char *text, const char *word)
{
    strcat(strcat(text, word), " ");
}

static void expect_metrics(const metric_case *expected)
{
    char *body = tr_format("[model]\ninput_shape = 4, 4, 1\n[layer.f]\ntype = flatten\n[layer.o]\n"
                           "type = dense\nunits = %s\nactivation = sigmoid\n[compile]\n%s"
                           "optimizer = adam\n",
                           expected->units, expected->compile);
    char classes[300] = "", names[300] = "";
    tr_model *model = parse(body);
    json_t *json = loaded(tr_keras_training_config(model));
    json_t *list = json_object_get(json, "metrics");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i), *settings = json_object_get(item, "config");
        cr_assert_str_eq(json_string_value(json_object_get(settings, "dtype")), "float32");
        append(classes, json_string_value(json_object_get(item, "class_name")));
        append(names, json_string_value(json_object_get(settings, "name")));
    }
    cr_expect_str_eq(classes, expected->classes);
    cr_expect_str_eq(names, expected->names);
    json_decref(json);
    tr_free(body);
    tr_model_free(model);
    tr_config_free(config);
}

Test(keras_json, metrics_are_objects_of_what_they_stand_for)
{
    for (size_t i = 0; i < sizeof metric_cases / sizeof *metric_cases; i++)
        expect_metrics(&metric_cases[i]);
}

/* What a checkpoint carries spells every default out; Keras 2 does not know all of them. */
Test(keras_json, effective_configuration_says_no_more)
{
    static const char body[] =
        "[model]\ninput_shape = 4, 4, 1\n[layer.f]\ntype = flatten\n[layer.o]\n"
        "type = dense\nunits = 7\nactivation = softmax\n[compile]\n"
        "loss = categorical_crossentropy\noptimizer = adam\n";
    tr_error err = {0};
    tr_model *model = parse(body), *again = NULL;
    tr_optimizer *optimizer = NULL;
    cr_assert_eq(tr_optimizer_make(&optimizer, config, &err), TR_OK);
    tr_config *first = config, *spelled = NULL;
    char *text = tr_config_text(first);
    cr_assert_not_null(strstr(text, "use_ema"), "%s", text);
    cr_assert_eq(tr_config_parse(&spelled, "effective", text, NULL, 0, &err), TR_OK);
    cr_assert_eq(tr_model_parse(&again, spelled, &err), TR_OK);
    char *a = tr_keras_training_config(model), *b = tr_keras_training_config(again);
    cr_expect_str_eq(b, a);
    tr_free(a);
    tr_free(b);
    tr_free(text);
    tr_free(optimizer);
    tr_model_free(again);
    tr_model_free(model);
    tr_config_free(spelled);
    tr_config_free(first);
}

/* Keras has a class of that name for every optimizer of the table. */
Test(keras_json, every_optimizer_has_a_class)
{
    for (size_t i = 0; tr_optimizer_table[i] != NULL; i++) {
        char words[64] = "";
        for (const char *c = tr_optimizer_table[i]->name; *c != '\0'; c++)
            strncat(words, c, *c != '_');
        cr_assert(tr_optimizer_table[i]->keras_class != NULL &&
                      strcasecmp(tr_optimizer_table[i]->keras_class, words) == 0,
                  "%s", tr_optimizer_table[i]->name);
    }
}

/* ---- in the file ---- */

Test(keras_json, is_in_the_checkpoint_as_h5py_writes_text)
{
    tr_error err = {0};
    const int64_t shape[3] = {4, 4, 1};
    char path[600];
    test_net *net = test_net_new("[layer.f]\ntype = flatten\n", shape, 1);
    snprintf(path, sizeof path, "%s/k.h5", test_folder());
    cr_assert_eq(test_save(net->model, path, &err), TR_OK, "%s", err.text);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    static const char *const names[] = {"model_config", "training_config"};
    for (int i = 0; i < 2; i++) {
        char *stored = test_golden_text(file, names[i]); /* a variable-length string */
        char *made =
            i == 0 ? tr_keras_model_config(net->model, NULL) : tr_keras_training_config(net->model);
        cr_assert_str_eq(stored, made);
        const hid_t attribute = H5Aopen(file, names[i], H5P_DEFAULT);
        const hid_t type = H5Aget_type(attribute);
        cr_assert_eq(H5Tget_cset(type), H5T_CSET_ASCII);
        H5Tclose(type);
        H5Aclose(attribute);
        tr_free(stored);
        tr_free(made);
    }
    H5Fclose(file);
    test_net_free(net);
}
