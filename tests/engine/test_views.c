/* test_views.c -- evaluations of several views: what they are, and that their mean is what the loss
 * sees and predictions are made of.
 */
#include "views.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "rig.h"

Test(views, weights_sum_to_1)
{
    static const int counts[] = {1, 2, 3, 6};
    for (unsigned chosen = 0; chosen < 4; chosen++) {
        tr_view views[TR_MAX_VIEWS];
        double sum = 0.0;
        const int n = tr_views_of(chosen, views);
        cr_assert_eq(n, counts[chosen]);
        cr_assert(!views[0].flips && views[0].shift == 0);
        for (int i = 0; i < n; i++)
            sum += views[i].weight;
        cr_assert_eq(sum, 1.0);
    }
}

/* PyTorch: torch.nn.functional.pad(x, (1, 1, 1, 1), "reflect")[..., 0:2, 0:3] and [..., 2:, 2:]. */
Test(views, made_by_hand)
{
    static const int64_t shape[3] = {2, 3, 1};
    static const float src[6] = {1, 2, 3, 4, 5, 6};
    static const struct {
        tr_view view;
        float want[6];
    } cases[] = {
        {{1, false, 0}, {1, 2, 3, 4, 5, 6}}, {{1, true, 0}, {3, 2, 1, 6, 5, 4}},
        {{1, false, 1}, {5, 4, 5, 2, 1, 2}}, {{1, false, -1}, {5, 6, 5, 2, 3, 2}},
        {{1, true, 1}, {5, 6, 5, 2, 3, 2}}, /* moved, then mirrored */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float got[6];
        tr_view_make(&cases[i].view, 1, shape, src, got);
        for (int k = 0; k < 6; k++)
            cr_assert_eq(got[k], cases[i].want[k], "%d: %d", (int)i, k);
    }
}

/* ---- an engine ---- */

enum { SAMPLES = 11, H = 4, W = 5, C = 2, IMAGE = H * W * C, CLASSES = 3 };
static const int64_t shape[3] = {H, W, C};

#define BODY                                                                                       \
    "[model]\ninput_shape = 4, 5, 2\n[layer.c]\ntype = conv2d\nfilters = 3\nkernel_size = 2\n"     \
    "activation = tanh\n[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 3\n"           \
    "activation = %s\n%s"

static tr_sums evaluate(const char *activation, const char *more, const char *views, int threads,
                        const tr_samples *samples, float *predictions)
{
    char *body = tr_format(BODY, activation, more), *set = tr_format("evaluate.views=%s", views);
    const char *overrides[] = {"data.scale=1/255", set, "engine.micro_batch=4"};
    uint32_t index[SAMPLES];
    tr_sums sums = {0};
    tr_error err = {0};
    for (uint32_t i = 0; i < SAMPLES; i++)
        index[i] = i;
    test_rig rig = test_rig_new(body, "sgd", threads, SAMPLES, overrides, 3);
    cr_assert_eq(tr_engine_evaluate(rig.engine, samples, index, SAMPLES, predictions, &sums, &err),
                 TR_OK, "%s", err.text);
    test_rig_free(&rig);
    tr_free(set);
    tr_free(body);
    return sums;
}

/* The samples as another view. */
static tr_samples viewed(const tr_samples *samples, const tr_view *view)
{
    static float src[SAMPLES * IMAGE], dst[SAMPLES * IMAGE];
    uint8_t *x = tr_alloc(SAMPLES, IMAGE);
    tr_samples copy = *samples;
    for (int i = 0; i < SAMPLES * IMAGE; i++)
        src[i] = (float)((const uint8_t *)samples->x)[i];
    tr_view_make(view, SAMPLES, shape, src, dst);
    for (int i = 0; i < SAMPLES * IMAGE; i++)
        x[i] = (uint8_t)dst[i];
    copy.x = x;
    return copy;
}

/* Of a linear network what it gives is what the loss sees. */
Test(views, predictions_are_their_mean)
{
    static const char *const names[] = {"none", "flip", "shift", "shift, flip"};
    const tr_samples samples = test_samples(SAMPLES, shape, CLASSES);
    for (unsigned chosen = 0; chosen < 4; chosen++) {
        static float got[SAMPLES * CLASSES], one[SAMPLES * CLASSES];
        double want[SAMPLES * CLASSES] = {0};
        tr_view views[TR_MAX_VIEWS];
        const int n = tr_views_of(chosen, views);
        evaluate("linear", "[loss]\nfrom_logits = true\n", names[chosen], 3, &samples, got);
        for (int v = 0; v < n; v++) {
            const tr_samples other = viewed(&samples, &views[v]);
            evaluate("linear", "[loss]\nfrom_logits = true\n", "none", 1, &other, one);
            for (int k = 0; k < SAMPLES * CLASSES; k++)
                want[k] += views[v].weight * (double)one[k];
            tr_free((void *)other.x);
        }
        for (int k = 0; k < SAMPLES * CLASSES; k++) /* six roundings of numbers of size 1 */
            cr_assert_float_eq((double)got[k], want[k], 1e-6, "%s: %d", names[chosen], k);
    }
    tr_free((void *)samples.x);
    tr_free((void *)samples.y);
}

/* The loss is that of the mean, at any number of threads; with a softmax that the crossentropy
 * takes over, of the mean before it. */
Test(views, the_loss_is_that_of_the_mean)
{
    static float logits[SAMPLES * CLASSES], shares[SAMPLES * CLASSES], again[SAMPLES * CLASSES];
    const tr_samples samples = test_samples(SAMPLES, shape, CLASSES);
    const tr_sums linear =
        evaluate("linear", "[loss]\nfrom_logits = true\n", "flip, shift", 1, &samples, logits);
    const tr_sums soft = evaluate("softmax", "", "flip, shift", 3, &samples, shares);
    const tr_sums alone = evaluate("softmax", "", "none", 3, &samples, again);
    cr_assert_eq(linear.loss, soft.loss);
    cr_assert_neq(alone.loss, soft.loss);
    double sum = 0.0;
    for (int k = 0; k < CLASSES; k++)
        sum += exp((double)logits[k]);
    for (int k = 0; k < CLASSES; k++)
        cr_assert_float_eq((double)shares[k], exp((double)logits[k]) / sum, 1e-6);
    const tr_sums one = evaluate("softmax", "", "flip, shift", 1, &samples, again);
    cr_assert_eq(one.loss, soft.loss);
    cr_assert_eq(memcmp(again, shares, sizeof shares), 0);
    tr_free((void *)samples.x);
    tr_free((void *)samples.y);
}

Test(views, of_vectors_are_refused)
{
    tr_error err = {0};
    const char *override[] = {"evaluate.views=flip"};
    tr_config *config = test_config("[model]\ninput_shape = 9\n[layer.d]\ntype = dense\n"
                                    "units = 4\nactivation = softmax\n",
                                    override, 1);
    tr_model *model = NULL;
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_ERR_CONFIG);
    cr_assert_not_null(strstr(err.text, "[evaluate] views are of images"), "%s", err.text);
    tr_model_free(model);
    tr_config_free(config);
}
