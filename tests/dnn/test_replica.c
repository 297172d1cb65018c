/* test_replica.c -- a replica depends on its own input only: not on history, not on neighbours. */
#include <criterion/criterion.h>
#include <string.h>

#include "mem.h"
#include "net.h"

static const char layers[] =
    "[layer.a]\ntype = conv2d\nfilters = 24\nkernel_size = 3\npadding = same\nactivation = relu\n"
    "[layer.b]\ntype = max_pooling2d\n[layer.f]\ntype = flatten\n"
    "[layer.d]\ntype = dense\nunits = 6\n";
static const int64_t shape[3] = {10, 10, 3};
enum { N = 4, PIXELS = 300, OUT = 6 };

Test(replica, result_does_not_depend_on_what_ran_before)
{
    float a[N * PIXELS], b[N * PIXELS], diff[N * OUT];
    float first[N * OUT], again[N * OUT], diff_first[N * PIXELS], diff_again[N * PIXELS];
    test_net *net = test_net_new(layers, shape, N);
    const size_t bytes = net->model->n_floats * sizeof(float);
    float *gradients = tr_alloc(1, bytes);
    test_fill(a, N * PIXELS, 1);
    test_fill(b, N * PIXELS, 2);
    test_fill(diff, N * OUT, 3);
    test_net_forward(net, a, first);
    test_net_backward(net, diff, diff_first);
    memcpy(gradients, net->gradients, bytes);
    test_net_forward(net, b, again);
    test_net_backward(net, diff, diff_again);
    cr_assert_neq(memcmp(first, again, sizeof first), 0);
    memset(net->gradients, 0xff, bytes); /* backward writes, it does not add */
    test_net_forward(net, a, again);
    test_net_backward(net, diff, diff_again);
    cr_assert_eq(memcmp(first, again, sizeof first), 0);
    cr_assert_eq(memcmp(diff_first, diff_again, sizeof diff_first), 0);
    for (int i = 0; i < tr_model_n_weights(net->model); i++) {
        const tr_param *param = tr_model_param(net->model, i);
        cr_assert_eq(memcmp(gradients + param->offset, net->gradients + param->offset,
                            param->n_packed * sizeof(float)),
                     0, "weight %d, padding included", i);
    }
    tr_free(gradients);
    test_net_free(net);
}

/* Padding of blocked layouts stays zero: the flat update of the optimizer relies on it. */
Test(replica, padding_of_gradients_is_zero)
{
    static const char odd[] = "[layer.a]\ntype = conv2d\nfilters = 21\nkernel_size = 3\n"
                              "[layer.c]\ntype = conv2d\nfilters = 19\nkernel_size = 3\n"
                              "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 6\n";
    static float src[N * PIXELS], diff[N * OUT], out[N * OUT], diff_src[N * PIXELS];
    test_net *net = test_net_new(odd, shape, N);
    test_fill(src, N * PIXELS, 1);
    test_fill(diff, N * OUT, 2);
    memset(net->gradients, 0xff, net->model->n_floats * sizeof(float));
    cr_assert_eq(tr_replica_set_gradients(net->replica, net->gradients), TR_OK);
    test_net_forward(net, src, out);
    test_net_backward(net, diff, diff_src);
    for (int i = 0; i < tr_model_n_weights(net->model); i++) {
        const tr_param *param = tr_model_param(net->model, i);
        /* Plain -> packed -> plain keeps the sum of the absolute values only if the padding adds
         * nothing to the packed one. */
        float *plain = tr_alloc((size_t)tr_param_elements(param), sizeof *plain);
        double packed_sum = 0.0, plain_sum = 0.0;
        test_net_gradient(net, i, plain);
        for (size_t k = 0; k < param->n_packed; k++)
            packed_sum += (double)(net->gradients + param->offset)[k] != 0.0;
        for (int64_t k = 0; k < tr_param_elements(param); k++)
            plain_sum += (double)plain[k] != 0.0;
        cr_assert_eq(packed_sum, plain_sum, "weight %d", i);
        tr_free(plain);
    }
    test_net_free(net);
}
