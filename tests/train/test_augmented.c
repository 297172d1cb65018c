/* test_augmented.c -- training images as the first epochs see them: the right ones, with the
 * numbers of the step that has them.
 */
#include "trainer/augmented.h"

#include <criterion/criterion.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "order.h"
#include "run.h"
#include "small_run.h"

enum { N = 5, EPOCHS = 3, BATCH = 16, IMAGE = 28 * 28, SEED = 7 };

#define CHANGES                                                                                    \
    "[layer.a]\ntype = random_flip\n[layer.b]\ntype = rescaling\nscale = 2\n[layer.c]\n"           \
    "type = random_crop\nheight = 20\nwidth = 22\n"
enum { CHANGED = 20 * 22 };

static tr_config *config_of(const char *layers)
{
    static char file[512];
    snprintf(file, sizeof file, "data.file=%s", test_small_data());
    const char *overrides[] = {file, "fit.seed=7", "fit.batch_size=16"};
    char *body = tr_format("[model]\ninput_shape = 28, 28, 1\n%s[layer.f]\ntype = flatten\n"
                           "[layer.o]\ntype = dense\nunits = 10\nactivation = softmax\n",
                           layers);
    tr_config *config = test_config(body, overrides, 3);
    tr_free(body);
    return config;
}

/* The step of an image, counted through all epochs. */
static int64_t step_of(uint32_t sample, int64_t epoch)
{
    static uint32_t all[TEST_SMALL_N], order[TEST_SMALL_N];
    const int64_t per_epoch = (TEST_SMALL_N + BATCH - 1) / BATCH;
    for (uint32_t i = 0; i < TEST_SMALL_N; i++)
        all[i] = i;
    tr_order_shuffled(order, all, TEST_SMALL_N, SEED, (uint32_t)epoch);
    for (int64_t i = 0; i < TEST_SMALL_N; i++)
        if (order[i] == sample)
            return epoch * per_epoch + i / BATCH;
    return -1;
}

Test(augmented, is_what_the_steps_see)
{
    static float images[IMAGE], changed[CHANGED];
    static const int64_t shape[3] = {28, 28, 1};
    tr_error err = {0};
    tr_config *config = config_of(CHANGES);
    tr_model *model = NULL;
    tr_dataset *dataset = NULL;
    tr_augmented got;
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_build(model, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_dataset_open(&dataset, config, tr_model_targets(model), &err), TR_OK, "%s",
                 err.text);
    cr_assert_eq(tr_augmented_make(&got, config, model, dataset, N, EPOCHS, &err), TR_OK, "%s",
                 err.text);
    cr_assert_str_eq(got.layer, "c");
    cr_assert(got.n == N && got.changed[0] == 20 && got.changed[1] == 22);
    test_net *net = test_net_new(CHANGES, shape, 1);
    const uint8_t *x = tr_dataset_train(dataset)->x;
    for (int i = 0; i < N; i++) {
        const uint32_t sample = got.samples[i];
        cr_assert_eq(step_of(sample, 0), 0); /* the first batch */
        for (int k = 0; k < IMAGE; k++)
            images[k] = (float)x[sample * IMAGE + k] / 255.0f;
        cr_assert_eq(memcmp(images, got.images + i * IMAGE, sizeof images), 0);
        for (int e = 0; e < EPOCHS; e++) {
            const tr_draw draw = {
                .seed = SEED, .update = step_of(sample, e), .samples = &sample, .n = 1};
            tr_replica_set_draw(net->replica, &draw);
            test_net_forward(net, images, changed);
            cr_assert_eq(memcmp(changed, got.versions + (i * EPOCHS + e) * CHANGED, sizeof changed),
                         0, "image %d, epoch %d", i, e);
        }
    }
    test_net_free(net);
    tr_augmented_release(&got);
    tr_dataset_free(dataset);
    tr_model_free(model);
    tr_config_free(config);
}

/* What the last line says of the parameters. */
static void digest_of(const test_outcome *result, char digest[64])
{
    const char *at = strstr(result->text, "  parameters ");
    cr_assert(result->code == 0 && at != NULL, "%s", result->text);
    snprintf(digest, 64, "%.63s", at);
    digest[strcspn(digest, "\n")] = '\0';
}

/* Numbers follow from seed, layer, update and image: threads and a resume change nothing. */
Test(augmented, threads_and_a_resume_do_not_show)
{
    char config[512], words[2048], whole[64], resumed[64];
    char *text = tr_format("[data]\nfile = %s\nscale = 1/255\nvalidation_split = 0.2\n[model]\n"
                           "input_shape = 28, 28, 1\n[layer.n]\ntype = normalization\n"
                           "adapt = true\n" CHANGES "[layer.e]\ntype = random_erasing\n"
                           "value_range = -1, 1\n[layer.f]\ntype = flatten\n[layer.o]\n"
                           "type = dense\nunits = 10\nactivation = softmax\n[compile]\n"
                           "loss = sparse_categorical_crossentropy\noptimizer = adam\n[fit]\n"
                           "batch_size = 24\nepochs = 3\n[output]\ndirectory = %s/augmented\n",
                           test_small_data(), test_folder());
    snprintf(config, sizeof config, "%s", test_file("augmented.ini", text));
    snprintf(words, sizeof words, "-c %s --set engine.threads=1", config);
    digest_of(test_run("", words), whole);
    snprintf(words, sizeof words, "-c %s --set engine.threads=2 --set fit.epochs=1 --overwrite",
             config);
    digest_of(test_run("", words), resumed);
    cr_assert_str_neq(whole, resumed);
    snprintf(words, sizeof words, "-c %s --set engine.threads=2 --resume", config);
    digest_of(test_run("", words), resumed);
    cr_assert_str_eq(whole, resumed);
    tr_free(text);
}

Test(augmented, a_model_that_changes_nothing_is_refused)
{
    tr_error err = {0};
    tr_config *config = config_of("");
    tr_model *model = NULL;
    tr_augmented got;
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_augmented_make(&got, config, model, NULL, N, EPOCHS, &err), TR_ERR_CONFIG);
    cr_assert_not_null(strstr(err.text, "no layer of the model changes images"), "%s", err.text);
    tr_model_free(model);
    tr_config_free(config);
}
