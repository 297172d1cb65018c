/* test_checkpoint_config.c -- models out of files alone: Keras's own answers, and damage. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "h5_write.h"
#include "keras.h"
#include "keras_net.h"
#include "mem.h"
#include "net.h"
#include "rng.h"

/* ---- files that Keras wrote ---- */

static void predicts(const char *file, const char *io, const char *answers, const char *loss)
{
    size_t n_x, n_y, n_classes, n_loss;
    test_keras_net net = test_keras_open(test_keras_golden(file));
    char name[64];
    snprintf(name, sizeof name, "keras/%s", io);
    const hid_t golden = test_golden_open(name);
    float *x = test_golden_floats(golden, "x", &n_x),
          *y = test_golden_floats(golden, answers, &n_y);
    const int64_t *s = net.config->input_shape;
    const int64_t n = (int64_t)n_x / (s[0] * s[1] * s[2]), width = tr_model_n_classes(net.model);
    cr_assert_eq((int64_t)n_y, n * width);
    float *ours = test_keras_predict(&net, x, n);
    test_close(file, ours, y, n_y, 1e-5, 0.0);
    if (loss != NULL) { /* the mean of -log p and the share of right answers */
        float *classes = test_golden_floats(golden, "y", &n_classes);
        float *wanted = test_golden_floats(golden, loss, &n_loss);
        double sum = 0.0, right = 0.0;
        for (int64_t i = 0; i < n; i++) {
            const float *row = ours + i * width;
            const int64_t t = (int64_t)classes[i];
            sum -= log((double)row[t]);
            right += tr_model_class_of(net.model, row) == t;
        }
        cr_expect_float_eq(sum / (double)n, (double)wanted[0], 1e-5);
        cr_expect_float_eq(right / (double)n, (double)wanted[1], 1e-6);
        tr_free(classes);
        tr_free(wanted);
    }
    cr_expect_str_eq(net.said.notes, "");
    cr_expect_str_eq(net.said.no_measure, "");
    H5Fclose(golden);
    tr_free(x);
    tr_free(y);
    tr_free(ours);
    test_keras_close(&net);
}

Test(checkpoint_config, predicts_as_keras_3_3_3_does)
{
    predicts("small_v3.3.3.h5", "small_v3.3.3_io.h5", "y_pred_excl_pad", NULL);
}

Test(checkpoint_config, predicts_as_keras_3_9_2_does)
{
    predicts("small_v3.9.2.h5", "small_v3.9.2_io.h5", "y_pred", "loss_acc");
}

Test(checkpoint_config, predicts_as_keras_3_16_0_does)
{
    predicts("keras3.16.0_mix.h5", "keras3.16.0_mix_io.h5", "y_pred", NULL);
}

/* With shortcuts, all merging layers, normalizations, a frozen layer; layers side by side have the
 * same shapes, so that weights in another's place are another answer (golden/keras/graph.py). */
Test(checkpoint_config, predicts_as_graphs_of_keras_do)
{
    predicts("graph_v2.15.0.h5", "graph_io.h5", "y_pred", NULL);
    predicts("graph_v3.15.1.h5", "graph_io.h5", "y_pred", NULL);
    predicts("graph_v3.15.1.keras", "graph_io.h5", "y_pred", NULL);
}

/* MNIST itself is not here: an independent forward pass on Fashion-MNIST stands in for it. */
Test(checkpoint_config, predicts_the_tutorial_as_pytorch_does)
{
    enum { N = 100 };
    size_t n_x, n_y;
    test_keras_net net = test_keras_open(test_keras_golden("tutorial_v3.3.3.h5"));
    const hid_t fashion = test_golden_open("fashion_small.h5");
    const hid_t golden = test_golden_open("keras/tutorial_fashion.h5");
    float *x = test_golden_floats(fashion, "x_test", &n_x);
    float *y = test_golden_floats(golden, "y_pred", &n_y);
    cr_assert(n_y == N * 10 && n_x >= N * 784);
    for (size_t i = 0; i < N * 784; i++)
        x[i] /= 255.0f;
    float *ours = test_keras_predict(&net, x, N);
    test_close("y_pred", ours, y, n_y, 1e-5, 0.0);
    H5Fclose(fashion);
    H5Fclose(golden);
    tr_free(x);
    tr_free(y);
    tr_free(ours);
    test_keras_close(&net);
}

/* Where data/fetch_mnist.sh was run: Keras's own predictions. */
Test(checkpoint_config, predicts_the_tutorial_as_keras_does)
{
    enum { N = 100 };
    size_t n_x, n_y;
    tr_dataset *mnist = NULL;
    tr_error err = {0};
    const tr_config tutorial = {.input_shape = {28, 28, 1}};
    if (tr_dataset_open_images(&mnist, TR_SOURCE "/data/mnist.h5", "x_test", &tutorial, &err) !=
        TR_OK)
        cr_skip("no MNIST here");
    test_keras_net net = test_keras_open(test_keras_golden("tutorial_v3.3.3.h5"));
    const hid_t golden = test_golden_open("keras/tutorial_v3.3.3_io.h5");
    float *y = test_golden_floats(golden, "y_pred", &n_y);
    static float x[N * 784];
    n_x = N * 784;
    for (size_t i = 0; i < n_x; i++)
        x[i] = (float)((const uint8_t *)tr_dataset_test(mnist)->x)[i] / 255.0f;
    float *ours = test_keras_predict(&net, x, N);
    test_close("y_pred", ours, y, n_y, 1e-5, 0.0);
    H5Fclose(golden);
    tr_free(y);
    tr_free(ours);
    tr_dataset_free(mnist);
    test_keras_close(&net);
}

/* ---- files made here ---- */

#define FLATTEN "{'class_name':'Flatten','config':{'name':'f'}}"
#define DENSE "{'class_name':'Dense','config':{'name':'d','units':3,'activation':'softmax'}}"
#define INPUT "{'class_name':'InputLayer','config':{'batch_input_shape':[null,2,2,1],'name':'in'}}"
#define MODEL                                                                                      \
    "{'class_name':'Sequential','config':{'name':'m','layers':[" INPUT "," FLATTEN "," DENSE "]}}"

static const float kernel[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const float bias[3] = {0.5f, -0.25f, 0.125f};

static void write_dense(hid_t group, const char *kernel_name, const char *bias_name, hid_t stored)
{
    test_keras_array(group, kernel_name, 2, (const int64_t[]){4, 3}, stored, kernel);
    test_keras_array(group, bias_name, 1, (const int64_t[]){3}, stored, bias);
}

static void expect_dense(test_keras_net *net)
{
    float values[12];
    tr_error err = {0};
    cr_assert_eq(tr_model_n_weights(net->model), 2);
    cr_assert_eq(tr_model_get_weight(net->model, 0, values, &err), TR_OK);
    cr_expect_eq(memcmp(values, kernel, sizeof kernel), 0);
    cr_assert_eq(tr_model_get_weight(net->model, 1, values, &err), TR_OK);
    cr_expect_eq(memcmp(values, bias, sizeof bias), 0);
}

/* A whole model as Keras 2.2.4 (fixed strings, a list as configuration, no InputLayer) or 2.13. */
static const char *whole_model(const char *version, bool fixed)
{
    static char path[512];
    const char *model =
        fixed ? "{'class_name':'Sequential','config':[{'class_name':'Flatten','config':{'name':'f',"
                "'batch_input_shape':[null,2,2,1],'data_format':'channels_last'}}," DENSE "]}"
              : MODEL;
    const hid_t file =
        test_keras_h5("whole.h5", model,
                      "{'loss':'sparse_categorical_crossentropy','metrics':['acc'],"
                      "'optimizer_config':{'class_name':'Adam','config':{'lr':0.5}}}",
                      version, fixed);
    const hid_t weights = H5Gcreate2(file, "model_weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t f = H5Gcreate2(weights, "f", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t d = H5Gcreate2(weights, "d", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    test_keras_names(weights, "layer_names", (const char *const[]){"f", "d"}, 2, fixed);
    test_keras_names(d, "weight_names", (const char *const[]){"d/kernel:0", "d/bias:0"}, 2, fixed);
    write_dense(d, "d/kernel:0", "d/bias:0", H5T_IEEE_F32LE);
    H5Gclose(f);
    H5Gclose(d);
    H5Gclose(weights);
    H5Fclose(file);
    snprintf(path, sizeof path, "%s/whole.h5", test_folder());
    return path;
}

Test(checkpoint_config, opens_whole_models_of_keras_2)
{
    static const char *const versions[] = {"2.2.4", "2.13.1"};
    for (int i = 0; i < 2; i++) {
        test_keras_net net = test_keras_open(whole_model(versions[i], i == 0));
        expect_dense(&net);
        cr_expect_str_eq(net.config->compile.optimizer, "adam");
        cr_expect_str_eq(net.config->compile.metrics, "acc");
        cr_expect_str_eq(net.said.notes, "");
        cr_expect_str_eq(net.config->data.file, TR_NO_DATASET);
        test_keras_close(&net);
    }
}

static tr_status fill_keyed(const void *root, hid_t file, tr_error *err)
{
    (void)err;
    char path[128];
    snprintf(path, sizeof path, "%s/dense/vars", (const char *)root);
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t group = H5Gcreate2(file, path, links, H5P_DEFAULT, H5P_DEFAULT);
    write_dense(group, "0", "1", H5T_IEEE_F32LE);
    H5Gclose(group);
    H5Pclose(links);
    return TR_OK;
}

/* Stored and deflated, of Keras 3 and 2.13; with and without compile_config. */
Test(checkpoint_config, opens_keras_archives)
{
    static const char *const roots[] = {"layers", "_layer_checkpoint_dependencies"};
    static const char *const compiled[] = {
        "{'class_name':'Sequential','config':{'name':'m','layers':[" INPUT "," FLATTEN "," DENSE
        "]},'compile_config':{'optimizer':'adam','loss':'sparse_categorical_crossentropy',"
        "'metrics':['accuracy']}}",
        "{'class_name':'Sequential','config':{'name':'m','layers':[" INPUT "," FLATTEN "," DENSE
        "]},'compile_config':null}"};
    for (int i = 0; i < 2; i++) {
        void *image = NULL;
        size_t n = 0;
        tr_error err = {0};
        cr_assert_eq(tr_h5_make_image(&image, &n, fill_keyed, roots[i], &err), TR_OK, "%s",
                     err.text);
        test_keras_net net =
            test_keras_open(test_keras_archive("a.keras", compiled[i], "3.9.2", image, n, i == 1));
        expect_dense(&net);
        cr_expect_eq(net.said.notes[0] == '\0', i == 0, "%s", net.said.notes);
        test_keras_close(&net);
        tr_free(image);
    }
}

/* What does not go with the model is left out until it does; a prediction needs none of it. */
Test(checkpoint_config, settings_that_do_not_fit_stop_no_prediction)
{
    static const struct {
        const char *training, *notes, *no_measure;
    } cases[] = {
        {"{'loss':'dice','optimizer_config':{'class_name':'Adam','config':{}}}", "", "dice"},
        {"{'loss':{'class_name':'BinaryCrossentropy','config':{'from_logits':true}}}", "",
         "does not go with a last activation of softmax"},
        {"{'loss':'mse','metrics':['sparse_categorical_accuracy']}",
         "its metric sparse_categorical_accuracy is left out: [compile] metrics: sparse_", ""},
        {"{'loss':'sparse_categorical_crossentropy','metrics':[{'class_name':"
         "'SparseTopKCategoricalAccuracy','config':{'k':50}}]}",
         "its metric sparse_top_k_categorical_accuracy is left out: [compile] top_k = 50: with ",
         ""},
        {"{'loss':'mse','optimizer_config':{'class_name':'SGD','config':{'clipnorm':1.0,'clipvalue'"
         ":1.0}}}",
         "its optimizer SGD is left out: [optimizer] clipvalue beside clipnorm", ""},
        {"{'loss':'mse','optimizer_config':{'class_name':'Odd','config':{}}}",
         "its optimizer Odd is left out", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[512];
        tr_checkpoint_info said;
        tr_error err = {0};
        H5Fclose(test_keras_h5("s.h5", MODEL, cases[i].training, "3.3.3", false));
        snprintf(path, sizeof path, "%s/s.h5", test_folder());
        cr_assert_eq(tr_checkpoint_describe(&said, path, &err), TR_OK, "%s", err.text);
        cr_expect_not_null(strstr(said.notes, cases[i].notes), "%s", said.notes);
        cr_expect_not_null(strstr(said.no_measure, cases[i].no_measure), "%s", said.no_measure);
        cr_expect_eq(said.no_measure[0] == '\0', cases[i].no_measure[0] == '\0', "%s",
                     said.no_measure);
        tr_checkpoint_info_release(&said);
    }
}

/* More than there is room for: whole lines, each of which can be printed. */
Test(checkpoint_config, notes_end_in_a_whole_line)
{
    static char json[1 << 14];
    char path[512];
    tr_checkpoint_info said;
    tr_error err = {0};
    size_t n = (size_t)snprintf(json, sizeof json, "{'loss':'mse','metrics':[");
    for (int i = 0; i < 2200; i++)
        n += (size_t)snprintf(json + n, sizeof json - n, "%d,", i % 10 + 10);
    snprintf(json + n, sizeof json - n, "0]}");
    H5Fclose(test_keras_h5("n.h5", MODEL, json, "3.3.3", false));
    snprintf(path, sizeof path, "%s/n.h5", test_folder());
    cr_assert_eq(tr_checkpoint_describe(&said, path, &err), TR_OK, "%s", err.text);
    cr_assert_gt(strlen(said.notes), 60000);
    cr_expect_eq(said.notes[strlen(said.notes) - 1], '\n');
    tr_checkpoint_info_release(&said);
}

/* ---- refusals ---- */

static void refused(const char *path, const char *expected)
{
    tr_checkpoint_info said;
    tr_error err = {0};
    cr_assert_eq(tr_checkpoint_describe(&said, path, &err), TR_ERR_DATA, "%s", path);
    cr_expect_not_null(strstr(err.text, expected), "%s", err.text);
    cr_expect_eq(strncmp(err.text, path, strlen(path)), 0, "%s", err.text);
}

Test(checkpoint_config, refuses_what_has_no_model)
{
    char pipe[512];
    snprintf(pipe, sizeof pipe, "%s/pipe.h5", test_folder());
    cr_assert_eq(mkfifo(pipe, 0600), 0);
    refused(pipe, "is a device or a pipe"); /* at once, without a writer */
    refused(test_folder(), "is a folder");
    refused("/no/such.h5", "cannot be read");
    refused(TR_SOURCE "/LICENSE", "is not an HDF5 file, nor an archive");
    refused(test_keras_golden("small_v3.9.2.weights.h5"), "give the INI file of the model with -c");
    refused(test_keras_golden("small_v3.9.2_io.h5"), "has no configuration inside");
}

/* As Keras 3.15's save_weights("x.weights.json", max_shard_size=...) writes it. */
Test(checkpoint_config, says_what_shards_are)
{
    char path[512];
    snprintf(path, sizeof path, "%s/x.weights.json", test_folder());
    FILE *file = fopen(path, "w");
    fputs("{\n    \"metadata\": {\n        \"total_size\": 7820.0\n    },\n    \"weight_map\": {\n"
          "        \"/layers/dense/vars\": [\n            \"x_00000.weights.h5\"\n        ]}}",
          file);
    fclose(file);
    refused(path, "is a list of weights in several files (shards)");
}

/* An attribute may be as long as a file; parsing it may not take minutes. */
Test(checkpoint_config, refuses_a_configuration_without_end)
{
    enum { MUCH = 17 << 20 };
    char path[512], *text = tr_alloc(MUCH, 1);
    memset(text, ' ', MUCH - 1);
    memcpy(text, "{", 1);
    memcpy(text + MUCH - 2, "}", 1);
    const hid_t file = test_keras_h5("long.h5", NULL, NULL, "3.3.3", false);
    test_keras_names(file, "model_config", (const char *const[]){text}, 1, false);
    H5Fclose(file);
    snprintf(path, sizeof path, "%s/long.h5", test_folder());
    refused(path, "its model_config has 17825791 bytes; at most 16777216 are read");
    tr_free(text);
}

Test(checkpoint_config, refuses_models_that_cannot_be)
{
    static const char *const cases[][2] = {
        {"{'class_name':'Sequential','config':{'layers':[" INPUT "," DENSE "]}}", "[layer.d]"},
        {"{'class_name':'Sequential','config':{'layers':[" INPUT "]}}", "no layers but the input"},
        {"{", "its model_config cannot be read"},
        {"[]", "its model_config cannot be read (not an object)"},
        {"{'class_name':'Sequential','config':{'layers':[" INPUT ",{'class_name':'LSTM','config':"
         "{'name':'l\\u001b[2J'}}]}}",
         "layer l?[2J is a LSTM"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[512];
        H5Fclose(test_keras_h5("r.h5", cases[i][0], NULL, "3.3.3", false));
        snprintf(path, sizeof path, "%s/r.h5", test_folder());
        refused(path, cases[i][1]);
    }
}

/* Our own configuration inside a checkpoint: damage is an error of the file, not of the user's. */
Test(checkpoint_config, a_damaged_configuration_of_ours_is_an_error_of_the_file)
{
    char path[512];
    static const char *const texts[] = {"[data\nfile = x\n", "[layer.a]\ntype = odd\n", ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const hid_t file = test_keras_h5("o.h5", MODEL, NULL, "2.13.1", false);
        const hid_t group = H5Gcreate2(file, "trainer", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        test_keras_names(group, "config", &texts[i], 1, false);
        H5Gclose(group);
        H5Fclose(file);
        snprintf(path, sizeof path, "%s/o.h5", test_folder());
        refused(path, "its configuration is damaged");
    }
}

/* ---- damage ---- */

static size_t read_file(const char *path, unsigned char *bytes, size_t most)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    const size_t n = fread(bytes, 1, most, file);
    fclose(file);
    cr_assert(n > 500 && n < most);
    return n;
}

/* Cut or with a bit flipped in its first `reach` bytes, where what matters lies: refused, or a
 * model; never a crash. */
static void damage(const char *path, size_t reach)
{
    static unsigned char bytes[1 << 20];
    char broken[512];
    const size_t n = read_file(path, bytes, sizeof bytes);
    snprintf(broken, sizeof broken, "%s/broken", test_folder());
    reach = reach < n ? reach : n;
    int refusals = 0;
    for (uint64_t i = 0; i < 200; i++) {
        const uint64_t bit = tr_random_below(reach * 8, 1, TR_PURPOSE_SHUFFLE, 5, i);
        const size_t length = i % 4 == 0 ? (size_t)(bit / 8) : n;
        tr_checkpoint_info said = {0};
        tr_error err = {0};
        if (i % 4 != 0)
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        FILE *file = fopen(broken, "wb");
        fwrite(bytes, 1, length, file);
        fclose(file);
        if (i % 4 != 0)
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        const tr_status status = tr_checkpoint_describe(&said, broken, &err);
        cr_assert(status == TR_OK || status == TR_ERR_DATA, "%s", err.text);
        refusals += status != TR_OK;
        tr_checkpoint_info_release(&said);
    }
    cr_expect_geq(refusals, 50, "%d", refusals); /* at least all that are cut */
}

Test(checkpoint_config, broken_h5_files_do_not_crash)
{
    damage(whole_model("2.13.1", false), SIZE_MAX);
}

Test(checkpoint_config, broken_archives_do_not_crash)
{
    void *image = NULL;
    size_t n = 0;
    tr_error err = {0};
    cr_assert_eq(tr_h5_make_image(&image, &n, fill_keyed, "layers", &err), TR_OK);
    damage(test_keras_archive("b.keras", MODEL, "3.3.3", image, n, true), SIZE_MAX);
    tr_free(image);
}
