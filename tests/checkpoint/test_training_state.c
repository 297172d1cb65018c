/* test_training_state.c -- the group /trainer: all of it comes back; damage is noticed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "checkpoint_read.h"
#include "checkpoint_write.h"
#include "mem.h"
#include "net.h"
#include "often.h"
#include "rng.h"

static const int64_t shape[3] = {2, 2, 1};
static const char layers[] = "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 2\n";

static test_net *net(void)
{
    static const char *const overrides[] = {"compile.metrics=mse", "optimizer.use_ema=true"};
    return test_net_new_with(layers, shape, 1, overrides, 2);
}

/* Every field has a value of its own. */
static tr_snapshot *filled(const tr_model *model)
{
    tr_error err = {0};
    tr_snapshot *made;
    cr_assert_eq(tr_snapshot_new(&made, model, true, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_snapshot_take_weights(made, &err), TR_OK);
    made->progress =
        (tr_progress){.epoch = 2,
                      .step = 3,
                      .iterations = 23,
                      .sums = {.loss = 1.0 / 3.0, .metrics = {2.0 / 3.0}, .n = 96, .n_sums = 1},
                      .seconds = 1.25,
                      .best_value = 0.1,
                      .best_epoch = 1};
    made->identity = (tr_identity){"0123456789abcdef0123456789abcdef",
                                   "fedcba9876543210fedcba9876543210", "AVX-512, oneDNN 2.6.3"};
    for (int i = 0; i < made->n_slots; i++)
        test_fill(made->slots[i], (size_t)made->n_slot_values, 7u + (unsigned)i);
    made->training_weights = tr_alloc((size_t)made->n_values, sizeof(float));
    test_fill(made->training_weights, (size_t)made->n_values, 99);
    made->best_weights = tr_alloc((size_t)made->n_values, sizeof(float));
    test_fill(made->best_weights, (size_t)made->n_values, 98);
    made->best_weights_epoch = 1;
    made->n_epochs = 2;
    made->epochs = tr_alloc(2, sizeof *made->epochs);
    for (int i = 0; i < 2; i++)
        made->epochs[i] = (tr_epoch){.epoch = i + 1,
                                     .train = {.loss = 0.1 + i, .values = {0.2 + i}, .n = 100},
                                     .validation = {.loss = 0.3 + i, .values = {0.4}, .n = 20},
                                     .learning_rate = 1e-3,
                                     .seconds = 3.5,
                                     .validation_seconds = 0.5,
                                     .images_per_s = 1000.0 / 3.0};
    return made;
}

static void same(const tr_snapshot *a, const tr_snapshot *b)
{
    const size_t bytes = (size_t)a->n_values * sizeof(float);
    const size_t slot_bytes = (size_t)a->n_slot_values * sizeof(float);
    cr_assert_eq(memcmp(&a->progress, &b->progress, sizeof a->progress), 0);
    cr_assert_eq(memcmp(&a->identity, &b->identity, sizeof a->identity), 0);
    cr_assert_eq(a->n_slots, b->n_slots);
    for (int i = 0; i < a->n_slots; i++)
        cr_assert_eq(memcmp(a->slots[i], b->slots[i], slot_bytes), 0, "slot %d", i);
    cr_assert_eq(memcmp(a->weights, b->weights, bytes), 0);
    cr_assert_eq(memcmp(a->training_weights, b->training_weights, bytes), 0);
    cr_assert_eq(memcmp(a->best_weights, b->best_weights, bytes), 0);
    cr_assert_eq(a->best_weights_epoch, b->best_weights_epoch);
    cr_assert_eq(a->n_epochs, b->n_epochs);
    cr_assert_eq(memcmp(a->epochs, b->epochs, (size_t)a->n_epochs * sizeof *a->epochs), 0);
}

static char *path_of(const char *name)
{
    return tr_format("%s/%s", test_folder(), name);
}

Test(training_state, comes_back_whole)
{
    tr_error err = {0};
    test_net *made = net();
    tr_snapshot *written = filled(made->model), *found = NULL;
    char *path = path_of("state.h5");
    cr_assert_eq(written->n_slots, 3); /* average, momentum, velocity */
    cr_assert_eq(tr_checkpoint_write(written, path, &err), TR_OK, "%s", err.text);
    /* The weights are to be read into the snapshot, and what the training goes on from into the
     * model. */
    cr_assert_eq(tr_checkpoint_read(&found, made->model, path, TR_READ_STATE, &err), TR_OK, "%s",
                 err.text);
    same(written, found);
    float kernel[8];
    cr_assert_eq(tr_model_get_weight(made->model, 0, kernel, &err), TR_OK);
    cr_assert_eq(memcmp(kernel, written->training_weights, sizeof kernel), 0);
    tr_snapshot_free(written);
    tr_snapshot_free(found);
    test_net_free(made);
    tr_free(path);
}

/* Where the weights are the best ones, a copy of them would only take room. */
Test(training_state, best_weights_that_are_the_weights_come_back_without_a_copy)
{
    tr_error err = {0};
    test_net *made = net();
    tr_snapshot *written = filled(made->model), *found = NULL;
    char *path = path_of("best.h5");
    cr_assert_eq(tr_snapshot_keep_best(written, 2, &err), TR_OK);
    cr_assert_eq(tr_checkpoint_write(written, path, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_checkpoint_read(&found, made->model, path, TR_READ_STATE, &err), TR_OK, "%s",
                 err.text);
    same(written, found);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    cr_expect_eq(H5Lexists(file, "trainer/best_weights", H5P_DEFAULT), 0);
    H5Fclose(file);
    tr_snapshot_free(written);
    tr_snapshot_free(found);
    test_net_free(made);
    tr_free(path);
}

/* ---- what is not trained ---- */

static const char mixed[] = "[layer.f]\ntype = flatten\n[layer.n]\ntype = batch_normalization\n"
                            "[layer.e]\ntype = dense\nunits = 3\n"
                            "[layer.d]\ntype = dense\nunits = 2\n";

static test_net *mixed_net(const char *trainable)
{
    const char *const overrides[] = {"compile.metrics=mse", "optimizer.use_ema=true", trainable};
    return test_net_new_with(mixed, shape, 1, overrides, 3);
}

static bool has_momentum(const char *path, const char *weight)
{
    char name[96];
    snprintf(name, sizeof name, "trainer/optimizer_weights/adam/%s_momentum", weight);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const bool has = test_golden_has(file, name);
    H5Fclose(file);
    return has;
}

/* Frozen weights and measured statistics are saved like all others, and have no slots. */
Test(training_state, slots_are_those_of_trained_weights)
{
    static const char *const with[] = {"n_gamma", "n_beta", "d_kernel", "d_bias"};
    static const char *const without[] = {"n_moving_mean", "n_moving_variance", "e_kernel",
                                          "e_bias"};
    tr_error err = {0};
    test_net *made = mixed_net("layer.e.trainable=false");
    tr_snapshot *written = filled(made->model), *found = NULL;
    char *path = path_of("mixed.h5");
    cr_expect_eq(written->n_values, 4 * 4 + 4 * 3 + 3 + 3 * 2 + 2);
    cr_expect_eq(written->n_slot_values, 2 * 4 + 3 * 2 + 2);
    cr_assert_eq(tr_checkpoint_write(written, path, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_checkpoint_read(&found, made->model, path, TR_READ_STATE, &err), TR_OK, "%s",
                 err.text);
    same(written, found);
    for (size_t i = 0; i < 4; i++) {
        cr_expect(has_momentum(path, with[i]), "%s", with[i]);
        cr_expect_not(has_momentum(path, without[i]), "%s", without[i]);
    }
    tr_snapshot_free(written);
    tr_snapshot_free(found);
    test_net_free(made);
    tr_free(path);
}

static void refuses(const char *written_with, const char *read_with, const char *expected)
{
    tr_error err = {0};
    test_net *then = mixed_net(written_with), *now = mixed_net(read_with);
    tr_snapshot *written = filled(then->model), *found = NULL;
    char *path = path_of("other.h5");
    cr_assert_eq(tr_checkpoint_write(written, path, &err), TR_OK, "%s", err.text);
    cr_expect_eq(tr_checkpoint_read(&found, now->model, path, TR_READ_STATE, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, expected), "%s", err.text);
    cr_expect_eq(tr_checkpoint_read(&found, now->model, path, TR_READ_WEIGHTS, &err), TR_OK);
    tr_snapshot_free(written);
    tr_snapshot_free(found);
    test_net_free(then);
    test_net_free(now);
    tr_free(path);
}

/* Its weights can be used all the same. */
Test(training_state, of_other_trained_weights_is_refused)
{
    refuses("layer.e.trainable=true", "layer.e.trainable=false",
            "other.h5: its optimizer's state (/trainer/optimizer_weights) has 20 variables, that "
            "of this model has 14");
    refuses("layer.e.trainable=false", "layer.e.trainable=true",
            "other.h5: its optimizer's state (/trainer/optimizer_weights) has 14 variables, that "
            "of this model has 20");
}

/* ---- damage ---- */

/* A thousand files with a flipped bit, a run of zeros, or cut off: each is refused with a message,
 * or is what was written. */
Test(training_state, a_thousand_damaged_files, .timeout = 250)
{
    static unsigned char bytes[1 << 17], broken[1 << 17];
    tr_error err = {0};
    test_net *made = net();
    tr_snapshot *written = filled(made->model);
    char *path = path_of("state.h5"), *damaged = path_of("damaged.h5");
    cr_assert_eq(tr_checkpoint_write(written, path, &err), TR_OK, "%s", err.text);
    FILE *file = fopen(path, "rb");
    const size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    cr_assert(n > 4096 && n < sizeof bytes);
    const uint64_t stride = (uint64_t)test_stride();
    int refusals = 0, cut_off = 0;
    for (uint64_t i = 0; i < 1000; i += stride) {
        const uint64_t damage = i / stride % 3;
        const uint64_t bit = tr_random_below(n * 8, 3, TR_PURPOSE_SHUFFLE, 8, i);
        size_t length = n;
        memcpy(broken, bytes, n);
        cut_off += damage == 0;
        if (damage == 0)
            length = (size_t)(bit / 8);
        else if (damage == 1)
            broken[bit / 8] ^= (unsigned char)(1u << bit % 8);
        else
            memset(broken + bit / 8, 0, n - bit / 8 < 64 ? n - bit / 8 : 64);
        file = fopen(damaged, "wb");
        fwrite(broken, 1, length, file);
        fclose(file);
        tr_snapshot *found = NULL;
        const tr_status status =
            tr_checkpoint_read(&found, made->model, damaged, TR_READ_STATE, &err);
        cr_assert(status == TR_OK || status == TR_ERR_DATA, "%d: %s", status, err.text);
        cr_assert(status == TR_OK || strstr(err.text, damaged) != NULL, "%s", err.text);
        if (status == TR_OK)
            same(written, found);
        refusals += status != TR_OK;
        tr_snapshot_free(found);
    }
    cr_assert_geq(refusals, cut_off);
    tr_snapshot_free(written);
    test_net_free(made);
    tr_free(path);
    tr_free(damaged);
}

Test(training_state, says_what_a_file_of_keras_lacks)
{
    static const char tutorial[] =
        "[layer.c1]\ntype = conv2d\nfilters = 32\nkernel_size = 3\npadding = same\n"
        "[layer.p1]\ntype = max_pooling2d\n"
        "[layer.c2]\ntype = conv2d\nfilters = 64\nkernel_size = 3\npadding = same\n"
        "[layer.p2]\ntype = max_pooling2d\n[layer.f]\ntype = flatten\n"
        "[layer.d]\ntype = dense\nunits = 10\n";
    tr_error err = {0};
    tr_snapshot *unused = NULL;
    test_net *made = test_net_new(tutorial, (const int64_t[]){28, 28, 1}, 1);
    cr_assert_eq(tr_checkpoint_read(&unused, made->model, TR_GOLDEN "/keras_written.h5",
                                    TR_READ_STATE, &err),
                 TR_ERR_DATA);
    cr_assert_not_null(strstr(err.text, "has no training state"), "%s", err.text);
    cr_assert_not_null(strstr(err.text, "[fit] initial_weights"), "%s", err.text);
    test_net_free(made);
}
