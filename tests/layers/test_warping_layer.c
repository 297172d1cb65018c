/* test_warping_layer.c -- what all layers that warp images share: whose numbers an image gets, how
 * they are spread, gradients, and that evaluation leaves them out.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "affine.h"
#include "mem.h"
#include "net.h"
#include "warping_layer.h"

#define WARPS                                                                                      \
    "[layer.flip]\ntype = random_flip\n[layer.shift]\ntype = random_translation\n"                 \
    "height_factor = 0.3\nwidth_factor = 0.2\n[layer.turn]\ntype = random_rotation\n"              \
    "factor = 0.1\nfill_mode = constant\nfill_value = 0\n[layer.zoom]\ntype = random_zoom\n"       \
    "height_factor = 0.2\nfill_mode = wrap\n[layer.cut]\ntype = random_crop\n"                     \
    "height = 6\nwidth = 5\n"

enum { N = 4, H = 9, W = 7, C = 3, IN = H * W * C, OUT = 6 * 5 * C };
static const int64_t shape[3] = {H, W, C};

static void forward_at(test_net *net, const float *src, const tr_draw *draw, float *dst)
{
    tr_replica_set_draw(net->replica, draw);
    test_net_forward(net, src, dst);
}

static bool same(const float *a, const float *b)
{
    return memcmp(a, b, OUT * sizeof *a) == 0;
}

Test(warping_layer, numbers_belong_to_seed_update_and_sample)
{
    static float src[N * IN], first[N * OUT], other[N * OUT];
    static const uint32_t samples[N] = {7, 1000000007, 3, 0}, moved[N] = {0, 7, 9, 1000000007};
    test_net *net = test_net_new(WARPS, shape, N);
    for (int i = 0; i < N; i++)
        test_fill(src + i * IN, IN, 1); /* all alike: only the numbers differ */
    tr_draw draw = {.seed = 5, .update = 9, .samples = samples, .n = N};
    forward_at(net, src, &draw, first);
    draw.samples = moved;
    forward_at(net, src, &draw, other);
    cr_assert(same(first, other + OUT) && same(first + OUT, other + 3 * OUT) &&
              same(first + 3 * OUT, other));
    for (int i = 0; i < N; i++) /* sample 9 is new */
        cr_assert_not(same(first + i * OUT, other + 2 * OUT));
    draw = (tr_draw){.seed = 5, .update = 10, .samples = samples, .n = N};
    forward_at(net, src, &draw, other);
    cr_assert_not(same(first, other));
    draw = (tr_draw){.seed = 6, .update = 9, .samples = samples, .n = N};
    forward_at(net, src, &draw, other);
    cr_assert_not(same(first, other));
    draw = (tr_draw){.seed = 5, .update = 9, .samples = samples, .n = 2}; /* a short micro-batch */
    forward_at(net, src, &draw, other);
    cr_assert(same(first, other) && same(first + OUT, other + OUT));
    test_net_free(net);
}

/* One after the other: with the same numbers every image would come back. */
Test(warping_layer, layers_have_numbers_of_their_own)
{
    static float src[32 * IN], dst[32 * IN];
    test_net *net = test_net_new("[layer.a]\ntype = random_flip\nmode = horizontal\n"
                                 "[layer.b]\ntype = random_flip\nmode = horizontal\n",
                                 shape, 32);
    int flipped = 0;
    test_fill(src, 32 * IN, 1);
    test_net_forward(net, src, dst);
    for (int i = 0; i < 32; i++)
        flipped += memcmp(src + i * IN, dst + i * IN, IN * sizeof *src) != 0;
    cr_assert(flipped > 4 && flipped < 28, "%d of 32", flipped);
    test_net_free(net);
}

/* <dst(a) - dst(0), g> = <a, diff_src(g)> of any affine function; the sums are of some hundred
 * terms of size 1, in double from float32 results. */
static void check_adjoint(const char *layers)
{
    static float src[N * IN], zero[N * IN], dst[2 * N * IN], base[2 * N * IN], diff[2 * N * IN],
        back[N * IN];
    test_net *net = test_net_new(layers, shape, N);
    const size_t n_out = (size_t)(N * test_net_outputs(net));
    double left = 0.0, right = 0.0;
    test_fill(src, N * IN, 2);
    test_fill(diff, n_out, 3);
    test_net_forward(net, zero, base);
    test_net_forward(net, src, dst);
    test_net_backward(net, diff, back);
    for (size_t i = 0; i < n_out; i++)
        left += (double)(dst[i] - base[i]) * (double)diff[i];
    for (size_t i = 0; i < N * IN; i++)
        right += (double)src[i] * (double)back[i];
    cr_assert_float_eq(left, right, 2e-5, "%s: %.9g, %.9g", layers, left, right);
    cr_assert_gt(fabs(left), 1e-3);
    test_net_free(net);
}

Test(warping_layer, backward_is_the_adjoint)
{
    static const char *const fills[] = {"reflect", "wrap", "constant", "nearest"};
    static const char *const ways[] = {"nearest", "bilinear"};
    check_adjoint(WARPS);
    check_adjoint("[layer.a]\ntype = resizing\nheight = 5\nwidth = 11\n");
    check_adjoint("[layer.a]\ntype = center_crop\nheight = 5\nwidth = 4\n");
    for (int f = 0; f < 4; f++)
        for (int i = 0; i < 2; i++) {
            char *layers = tr_format("[layer.a]\ntype = random_rotation\nfactor = 0.4\n"
                                     "fill_mode = %s\ninterpolation = %s\nfill_value = 3\n",
                                     fills[f], ways[i]);
            check_adjoint(layers);
            tr_free(layers);
        }
}

Test(warping_layer, evaluation_leaves_it_out)
{
    test_net *net = test_net_new("[layer.a]\ntype = random_flip\n[layer.b]\ntype = random_zoom\n"
                                 "height_factor = 0.5\n",
                                 shape, N);
    cr_assert_eq(tr_program_n_ops(net->model->inference.program), 0);
    cr_assert_eq(tr_program_n_ops(net->model->training.program), 4);
    test_net_free(net);
}

/* ---- how numbers are spread ---- */

enum { DRAWS = 4000, BINS = 20 };

/* The chance that a chi-square variable of BINS - 1 = 19 degrees of freedom lies above 43.8 is
 * 0.001; numbers are a function of the seed, so that this test passes always or never. */
static void check_uniform(const char *what, const double *values, double low, double high)
{
    double chi = 0.0;
    int counts[BINS] = {0};
    for (int i = 0; i < DRAWS; i++) {
        cr_assert(values[i] >= low && values[i] <= high, "%s: %g", what, values[i]);
        const int bin = (int)((values[i] - low) / (high - low) * BINS);
        counts[bin < BINS ? bin : BINS - 1]++;
    }
    for (int bin = 0; bin < BINS; bin++)
        chi += pow(counts[bin] - (double)DRAWS / BINS, 2) / ((double)DRAWS / BINS);
    cr_assert_lt(chi, 43.8, "%s: chi-square %g", what, chi);
}

/* The map of sample i of the only layer. */
static tr_affine map_of(const tr_program *program, int i)
{
    const uint32_t sample = (uint32_t)i;
    const tr_draw draw = {.seed = 3, .update = 11, .samples = &sample, .n = 1};
    return tr_sampling_map(&program->ops[0].meaning.sampling, &draw, 0);
}

static void collect(const char *layer, double (*of)(const tr_affine *), double *values)
{
    test_net *net = test_net_new(layer, shape, 1);
    for (int i = 0; i < DRAWS; i++) {
        const tr_affine map = map_of(net->model->training.program, i);
        values[i] = of(&map);
    }
    test_net_free(net);
}

static double down(const tr_affine *map)
{
    return -(double)map->f / H;
}

static double right(const tr_affine *map)
{
    return -(double)map->c / W;
}

static double angle(const tr_affine *map)
{
    return atan2((double)map->d, (double)map->a) / 6.283185307179586;
}

static double tall(const tr_affine *map)
{
    return (double)map->e - 1.0;
}

static double wide(const tr_affine *map)
{
    return (double)map->a - 1.0;
}

Test(warping_layer, numbers_are_uniform_over_their_ranges)
{
    static double values[DRAWS], others[DRAWS];
    const char *shift = "[layer.a]\ntype = random_translation\nheight_factor = 0.25, -0.5\n"
                        "width_factor = 0.125\n";
    const char *zoom = "[layer.a]\ntype = random_zoom\nheight_factor = -0.25\n"
                       "width_factor = 0.25, 0.75\n";
    collect(shift, down, values);
    check_uniform("height_factor", values, -0.5, 0.25);
    collect(shift, right, others);
    check_uniform("width_factor", others, -0.125, 0.125);
    double product = 0.0; /* of what has mean 0: independent numbers have a mean product of 0 */
    for (int i = 0; i < DRAWS; i++)
        product += (values[i] + 0.125) / 0.375 * others[i] / 0.125 / DRAWS;
    cr_assert_float_eq(product, 0.0, 4.0 / 3.0 / sqrt(DRAWS));
    collect("[layer.a]\ntype = random_rotation\nfactor = 0.5\n", angle, values);
    check_uniform("factor", values, -0.5, 0.5);
    collect(zoom, tall, values);
    check_uniform("zoom, height_factor", values, -0.25, 0.25);
    collect(zoom, wide, values);
    check_uniform("zoom, width_factor", values, 0.25, 0.75);
}

Test(warping_layer, crops_have_every_place_and_flips_every_way)
{
    int places[5][3] = {{0}}, ways[2][2] = {{0}};
    test_net *net =
        test_net_new("[layer.a]\ntype = random_crop\nheight = 5\nwidth = 5\n", shape, 1);
    for (int i = 0; i < DRAWS; i++) {
        const tr_affine map = map_of(net->model->training.program, i);
        places[(int)map.f][(int)map.c]++;
    }
    test_net_free(net);
    net = test_net_new("[layer.a]\ntype = random_flip\n", shape, 1);
    for (int i = 0; i < DRAWS; i++) {
        const tr_affine map = map_of(net->model->training.program, i);
        ways[map.a < 0.0f][map.e < 0.0f]++;
    }
    test_net_free(net);
    for (int k = 0; k < 15; k++) /* five standard deviations */
        cr_assert_float_eq(places[k / 3][k % 3], DRAWS / 15.0, 5.0 * sqrt(DRAWS / 15.0));
    for (int k = 0; k < 4; k++)
        cr_assert_float_eq(ways[k / 2][k % 2], DRAWS / 4.0, 5.0 * sqrt(DRAWS / 4.0));
}

/* ---- what is refused ---- */

#define ON_IMAGE "[model]\ninput_shape = 5, 6, 3\n[layer.a]\ntype = "
#define FLAT "[layer.f]\ntype = flatten\n"

Test(warping_layer, mistakes_are_said)
{
    test_refused(ON_IMAGE "random_rotation\nfactor = 1.5\n" FLAT, "factor = 1.5: must be from -1");
    test_refused(ON_IMAGE "random_rotation\nfactor = 0, 0.1, 0.2\n" FLAT, "factor has 3 numbers");
    test_refused(ON_IMAGE "random_zoom\nheight_factor = 0.1\nwidth_factor = -1\n" FLAT,
                 "nothing of the image is seen");
    test_refused(ON_IMAGE "random_translation\nheight_factor = 0.1\n" FLAT, "width_factor");
    test_refused(ON_IMAGE "random_flip\nmode = sideways\n" FLAT, "horizontal_and_vertical");
    test_refused(ON_IMAGE "random_crop\nheight = 6\nwidth = 6\n" FLAT,
                 "6 x 6 cannot be cut out of 5 x 6");
    test_refused("[model]\ninput_shape = 5, 6, 3\n" FLAT "[layer.a]\ntype = random_flip\n",
                 "random_flip needs an image");
}
