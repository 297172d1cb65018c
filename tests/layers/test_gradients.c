/* test_gradients.c -- every layer without weights and every activation against central differences.
 *
 * Weights are in tests/engine/test_step.c; here it is the gradient of the source, through the very
 * kernels that training runs, also through those that run where channels are padded.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "net.h"

enum { N = 2, PIXELS = 6 * 7 * 3 };
static const int64_t shape[3] = {6, 7, 3};
static const float step = 0x1p-6f;

static double weighted_sum(test_net *net, const float *src, const float *weights, float *dst)
{
    double sum = 0.0;
    test_net_forward(net, src, dst);
    for (int64_t i = 0; i < N * test_net_outputs(net); i++)
        sum += (double)dst[i] * (double)weights[i];
    return sum;
}

/* Sources are distinct, further apart than two steps, and none is near a kink at 0, -3 or 3. */
static void fill_source(float *src, float scale)
{
    for (int i = 0; i < N * PIXELS; i++) {
        const int k = i * 89 % (N * PIXELS); /* a permutation */
        src[i] = ((float)(k - N * PIXELS / 2) + 0.5f) * 0x1p-4f * scale;
    }
}

/* `scale`: of the source; smooth layers that saturate want smaller numbers. */
static void check(const char *layers, float scale)
{
    static float src[N * PIXELS], diff_src[N * PIXELS];
    test_net *net = test_net_new(layers, shape, N);
    const size_t n_out = (size_t)(N * test_net_outputs(net));
    float *dst = tr_alloc(n_out, sizeof *dst), *weights = tr_alloc(n_out, sizeof *weights);
    double largest = 0.0;
    fill_source(src, scale);
    test_fill(weights, n_out, 3);
    test_net_forward(net, src, dst);
    test_net_backward(net, weights, diff_src);
    for (int i = 0; i < N * PIXELS; i += 5) {
        const float x = src[i];
        src[i] = x + step;
        const double above = weighted_sum(net, src, weights, dst);
        src[i] = x - step;
        const double below = weighted_sum(net, src, weights, dst);
        src[i] = x;
        const double slope = (above - below) / (2.0 * (double)step);
        /* Float32 noise of the result, 1e-6 of numbers below 16, over the step; and curvature. */
        cr_assert(fabs(slope - (double)diff_src[i]) <= 3e-4 + 2e-3 * fabs(slope),
                  "%s: slope %g at %d, gradient %g", layers, slope, i, (double)diff_src[i]);
        largest = fmax(largest, fabs(slope));
    }
    cr_assert_gt(largest, 5e-3, "%s: too flat to mean much", layers);
    tr_free(dst);
    tr_free(weights);
    test_net_free(net);
}

Test(gradients, of_activations)
{
    for (int i = 0; i < TR_N_ACTIVATIONS; i++) {
        char *layers =
            tr_format("[layer.a]\ntype = activation\nactivation = %s\n", tr_activation_names[i]);
        check(layers, i == TR_SOFTMAX ? 0.25f : 1.0f);
        tr_free(layers);
    }
}

Test(gradients, of_graphs)
{
    static const char two[] = "[layer.a]\ntype = conv2d\nfilters = 10\nkernel_size = 2\n"
                              "activation = tanh\n[layer.b]\ntype = conv2d\nfilters = 10\n"
                              "kernel_size = 2\ninputs = input\nactivation = softplus\n";
    static const char *const merges[] = {"add", "multiply", "average", "concatenate"};
    static const char *const inputs[] = {"a, b", "b, a, b"};
    for (size_t i = 0; i < sizeof merges / sizeof *merges; i++)
        for (size_t k = 0; k < 2; k++) {
            char *images =
                tr_format("%s[layer.m]\ntype = %s\ninputs = %s\n", two, merges[i], inputs[k]);
            check(images, 0.25f);
            tr_free(images);
            char *vectors = tr_format("%s[layer.f]\ntype = flatten\ninputs = a\n[layer.g]\n"
                                      "type = flatten\ninputs = b\n[layer.m]\ntype = %s\n"
                                      "inputs = f, g\n",
                                      two, merges[i]);
            check(vectors, 0.25f);
            tr_free(vectors);
        }
    /* Of one argument, so that nothing is near a kink: where it is positive the first and the last
     * are the same, else tanh is the largest. */
    check("[layer.t]\ntype = activation\nactivation = tanh\n[layer.e]\ntype = activation\n"
          "activation = elu\ninputs = input\n[layer.m]\ntype = maximum\ninputs = input, t, e\n",
          1.0f);
    /* The image itself, of another layout; a residual block; a value that four read. */
    check("[layer.a]\ntype = conv2d\nfilters = 3\nkernel_size = 3\npadding = same\n"
          "[layer.s]\ntype = add\ninputs = input, a\n[layer.t]\ntype = multiply\n"
          "inputs = s, input, s\n[layer.c]\ntype = concatenate\ninputs = t, s, input\n",
          0.25f);
}

/* The derivative of relu is taken behind the sum; that of a pooling's source not behind the
 * pooling, as there is a second reader. */
Test(gradients, of_a_residual_block)
{
    check("[layer.c]\ntype = conv2d\nfilters = 12\nkernel_size = 1\nactivation = relu\n"
          "[layer.p]\ntype = max_pooling2d\npool_size = 1\n[layer.d]\ntype = conv2d\n"
          "filters = 12\nkernel_size = 3\npadding = same\n[layer.s]\ntype = add\n"
          "inputs = d, c\n[layer.r]\ntype = activation\nactivation = relu\n",
          1.0f);
}

Test(gradients, of_layers)
{
    static const char *const layers[] = {
        "type = flatten\n",
        "type = max_pooling2d\npool_size = 3\nstrides = 2\npadding = same\n",
        "type = average_pooling2d\npool_size = 3\nstrides = 2\npadding = same\n",
        "type = average_pooling2d\npool_size = 2, 4\nstrides = 3, 1\n",
        "type = global_average_pooling2d\n",
        "type = zero_padding2d\npadding = 0, 1, 2, 3\n",
        "type = conv2d_transpose\nfilters = 5\nkernel_size = 3, 2\nstrides = 2\n",
        "type = cropping2d\ncropping = 0, 1, 2, 1\n",
        "type = up_sampling2d\nsize = 3, 2\n",
        "type = up_sampling2d\nsize = 2, 3\ninterpolation = bilinear\n",
        "type = reshape\ntarget_shape = 3, -1, 7\n",
        "type = permute\ndims = 3, 1, 2\n",
        "type = rescaling\nscale = 0.5, -2, 1/3\noffset = 1, 0, -1\n",
        "type = batch_normalization\n",
        "type = batch_normalization\nvirtual_batch_size = 1\n",
        "type = batch_normalization\ntrainable = false\n",
        "type = layer_normalization\n",
        "type = group_normalization\ngroups = 3\n",
        "type = group_normalization\ngroups = 1\n",
        "type = dropout\nrate = 0.4\n",
        "type = conv2d\nfilters = 5\nkernel_size = 2, 3\nactivation = linear\n",
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        char *section = tr_format("[layer.a]\n%s", layers[i]);
        check(section, 1.0f);
        tr_free(section);
    }
}

/* One behind the other, behind a convolution with 10 channels. */
Test(gradients, of_a_chain)
{
    check("[layer.c]\ntype = conv2d\nfilters = 10\nkernel_size = 2\nactivation = elu\n"
          "[layer.d]\ntype = dropout\nrate = 0.3\n[layer.z]\ntype = zero_padding2d\n"
          "[layer.s]\ntype = activation\nactivation = softplus\n"
          "[layer.p]\ntype = average_pooling2d\npool_size = 3\nstrides = 2\n"
          "[layer.e]\ntype = conv2d\nfilters = 17\nkernel_size = 2\nactivation = gelu\n"
          "[layer.g]\ntype = global_average_pooling2d\n[layer.h]\ntype = dense\nunits = 9\n"
          "activation = swish\n",
          0.25f);
}
