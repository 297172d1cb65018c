/* test_keras_order.c -- the order of layers, as real Keras listed them
 * (tests/golden/keras/graph.py: layer_names of graph_v2.15.0.h5 and graph_v3.15.1.h5); keys follow
 * it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "keras.h"
#include "keras_keys.h"
#include "keras_order.h"
#include "mem.h"
#include "net.h"
#include "trainer/checkpoint.h"

static const int64_t shape[3] = {9, 7, 3};

#define CONV "type = conv2d\nfilters = 4\nkernel_size = 1\n"

/* That network, in an order of our own. */
static const char graph[] =
    "[layer.third]\n" CONV "[layer.short]\n" CONV "inputs = input\n"
    "[layer.c1]\ntype = conv2d\nfilters = 4\nkernel_size = 3\npadding = same\nuse_bias = no\n"
    "inputs = input\n[layer.b1]\ntype = batch_normalization\n"
    "[layer.r1]\ntype = activation\nactivation = relu\n"
    "[layer.total]\ntype = add\ninputs = r1, short\n"
    "[layer.left]\n" CONV "[layer.right]\n" CONV "inputs = total\n"
    "[layer.most]\ntype = maximum\ninputs = right, left\n"
    "[layer.product]\ntype = multiply\ninputs = most, r1\n"
    "[layer.mean]\ntype = average\ninputs = product, total, third\n"
    "[layer.ln]\ntype = layer_normalization\n"
    "[layer.gn]\ntype = group_normalization\ngroups = 2\ninputs = mean\n"
    "[layer.joined]\ntype = concatenate\ninputs = gn, ln, input\n"
    "[layer.middle]\ntype = global_average_pooling2d\n"
    "[layer.top]\ntype = global_max_pooling2d\ninputs = joined\n"
    "[layer.vector]\ntype = concatenate\ninputs = top, middle\n"
    "[layer.b2]\ntype = batch_normalization\n[layer.out]\ntype = dense\nunits = 3\n";

static const char *const of_keras[] = {
    "c1",   "b1", "r1", "short",  "total", "right",  "left",   "most", "product", "third",
    "mean", "gn", "ln", "joined", "top",   "middle", "vector", "b2",   "out"};
enum { N = sizeof of_keras / sizeof *of_keras };

Test(keras_order, is_that_of_keras)
{
    test_net *net = test_net_new(graph, shape, 2);
    int *order = tr_keras_order(net->model);
    cr_assert_eq(tr_model_n_layers(net->model), N + 1); /* a flatten is behind it */
    for (int i = 0; i < N; i++)
        cr_expect_str_eq(tr_model_layer(net->model, order[i]).name, of_keras[i]);
    cr_expect_not(tr_model_is_chain(net->model));
    tr_free(order);
    test_net_free(net);
}

/* Layer by layer, those of one as they are. */
Test(keras_order, of_weights)
{
    test_net *net = test_net_new(graph, shape, 2);
    int *order = tr_keras_weight_order(net->model);
    const char *last = "";
    int n = 0;
    for (int i = 0; i < tr_model_n_weights(net->model); i++) {
        const tr_weight_info info = tr_model_weight(net->model, order[i]);
        if (strcmp(info.layer, last) == 0) {
            cr_expect_eq(order[i], order[i - 1] + 1);
            continue;
        }
        last = info.layer;
        while (n < N && strcmp(of_keras[n], last) != 0)
            n++;
        cr_expect_lt(n, N, "%s", last);
    }
    tr_free(order);
    test_net_free(net);
}

Test(keras_order, keys_are_numbered_by_it)
{
    static const char *const expected[][2] = {{"c1", "conv2d"},
                                              {"short", "conv2d_1"},
                                              {"right", "conv2d_2"},
                                              {"left", "conv2d_3"},
                                              {"third", "conv2d_4"},
                                              {"b1", "batch_normalization"},
                                              {"b2", "batch_normalization_1"}};
    test_net *net = test_net_new(graph, shape, 2);
    tr_layer_key *keys = tr_keras_layer_keys(net->model);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        for (int k = 0; k < N; k++)
            if (strcmp(tr_model_layer(net->model, k).name, expected[i][0]) == 0)
                cr_expect_str_eq(keys[k], expected[i][1]);
    tr_free(keys);
    test_net_free(net);
}

/* By place and by key, though the configuration has the layers in another order: every array is
 * where the file has it by name. */
Test(keras_order, weights_of_keras_find_their_layers)
{
    static const char *const files[] = {"graph_v2.15.0.h5", "graph_v3.15.1.h5",
                                        "graph_v3.15.1.keras"};
    tr_error err = {0};
    for (int i = 0; i < 3; i++) {
        test_net *net = test_net_new(graph, shape, 2);
        cr_assert_eq(tr_checkpoint_read_weights(net->model, test_keras_golden(files[i]), &err),
                     TR_OK, "%s", err.text);
        const hid_t golden = test_golden_open("keras/graph_v2.15.0.h5");
        for (int k = 0; k < tr_model_n_weights(net->model); k++) {
            const tr_weight_info info = tr_model_weight(net->model, k);
            float *ours = tr_alloc((size_t)info.n, sizeof *ours);
            char path[256];
            size_t n;
            snprintf(path, sizeof path, "model_weights/%s/%s/%s:0", info.layer, info.layer,
                     info.name);
            float *theirs = test_golden_floats(golden, path, &n);
            cr_assert_eq(tr_model_get_weight(net->model, k, ours, &err), TR_OK);
            cr_expect(n == (size_t)info.n && memcmp(ours, theirs, n * sizeof *ours) == 0, "%s: %s",
                      files[i], path);
            tr_free(ours);
            tr_free(theirs);
        }
        H5Fclose(golden);
        test_net_free(net);
    }
}

Test(keras_order, of_a_chain_is_ours)
{
    test_net *net = test_net_new("[layer.c]\n" CONV "[layer.f]\ntype = flatten\n[layer.o]\n"
                                 "type = dense\ninputs = f\nunits = 2\n",
                                 shape, 2);
    int *order = tr_keras_order(net->model);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(order[i], i);
    cr_expect(tr_model_is_chain(net->model)); /* also where it says so */
    tr_free(order);
    test_net_free(net);
}
