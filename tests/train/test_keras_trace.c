/* test_keras_trace.c -- thirty steps of real Keras on real images, followed from its weights.
 *
 * tests/golden/keras_trace.h5 was recorded with Keras 3.16 (float32, PyTorch backend): the
 * tutorial's network, Adam(0.001), batches of 32 of the first 960 training images of Fashion-MNIST
 * in order; loss and accuracy of each batch before its update, and afterwards the predictions for
 * the first 100 test images.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "mem.h"
#include "rig.h"

enum { STEPS = 30, BATCH = 32, N_PREDICTED = 100, CLASSES = 10 };

static tr_dataset *open_small(const tr_config *config)
{
    tr_dataset *dataset = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_dataset_open(&dataset, config, TR_TARGET_CLASSES, &err), TR_OK, "%s", err.text);
    return dataset;
}

/* What is allowed, in absolute terms. */
typedef struct tolerance {
    double loss, prediction;
} tolerance;

/* Accuracies are shares of 32: equal to the last bit, or off by whole images where two outputs of
 * an image are so close that rounding decides which is larger. So two of thirty may differ. */
static void follow(test_rig *made, const tr_samples *train, const float *loss_acc,
                   const tolerance *allowed)
{
    int n_equal = 0;
    double worst = 0.0;
    for (int step = 0; step < STEPS; step++) {
        uint32_t index[BATCH];
        tr_sums sums;
        tr_error err = {0};
        for (int i = 0; i < BATCH; i++)
            index[i] = (uint32_t)(step * BATCH + i);
        cr_assert_eq(tr_engine_step(made->engine, train, index, BATCH, &sums, &err), TR_OK);
        const double loss = sums.loss / BATCH, keras = (double)loss_acc[step * 2];
        cr_assert(fabs(loss - keras) <= allowed->loss, "step %d: loss %.7f, Keras %.7f", step + 1,
                  loss, keras);
        worst = fmax(worst, fabs(loss - keras));
        n_equal += sums.metrics[0] / BATCH == (double)loss_acc[step * 2 + 1];
    }
    cr_assert_geq(n_equal, STEPS - 2, "%d of %d accuracies are equal", n_equal, STEPS);
    cr_log_info("largest difference of a loss %.2g, %d of %d accuracies equal", worst, n_equal,
                STEPS);
}

static void compare_predictions(test_rig *made, const tr_samples *test, const float *keras,
                                const tolerance *allowed)
{
    static float ours[N_PREDICTED * CLASSES];
    uint32_t index[N_PREDICTED];
    tr_sums sums;
    tr_error err = {0};
    double worst = 0.0;
    for (uint32_t i = 0; i < N_PREDICTED; i++)
        index[i] = i;
    cr_assert_eq(tr_engine_evaluate(made->engine, test, index, N_PREDICTED, ours, &sums, &err),
                 TR_OK);
    for (int k = 0; k < N_PREDICTED * CLASSES; k++)
        if (fabs((double)ours[k] - (double)keras[k]) > worst)
            worst = fabs((double)ours[k] - (double)keras[k]);
    cr_log_info("largest difference of a probability %.2g", worst);
    test_close("predictions after 30 steps", ours, keras, N_PREDICTED * CLASSES,
               allowed->prediction, 0.0);
}

static void thirty_steps(const char *learning_rate, const tolerance *allowed)
{
    size_t n;
    const char *const overrides[] = {"data.file=" TR_GOLDEN "/fashion_small.h5", learning_rate};
    const hid_t file = test_golden_open("keras_trace.h5");
    float *loss_acc = test_golden_floats(file, "loss_acc", &n);
    cr_assert_eq(n, STEPS * 2);
    float *predictions = test_golden_floats(file, "test100_pred", &n);
    cr_assert_eq(n, N_PREDICTED * CLASSES);
    test_rig made = test_rig_new(test_reference_layers, "adam", 2, N_PREDICTED, overrides, 2);
    tr_dataset *dataset = open_small(made.config);
    cr_assert_eq(tr_dataset_train(dataset)->n, STEPS * BATCH);
    test_rig_load_weights(&made, file, "initial");
    follow(&made, tr_dataset_train(dataset), loss_acc, allowed);
    compare_predictions(&made, tr_dataset_test(dataset), predictions, allowed);
    tr_dataset_free(dataset);
    test_rig_free(&made);
    tr_free(loss_acc);
    tr_free(predictions);
    H5Fclose(file);
}

/* Keras rounds beta_2 to float32 before it corrects the bias: 1 - 0.99900001287 is 1.3e-5 too
 * small, its root makes each step 6.4e-6 shorter than ours. Thirty steps make that 5e-5 in a loss
 * and 2e-4 in a probability. */
Test(keras_trace, as_configured)
{
    thirty_steps("optimizer.learning_rate=0.001", &(tolerance){2e-4, 1e-3});
}

/* With steps as long as Keras's what is left is rounding: 9e-7 in a loss, 1.4e-6 in a probability.
 * Ten times that is allowed, since other kernels add in another order. */
Test(keras_trace, with_steps_as_long_as_those_of_keras)
{
    thirty_steps("optimizer.learning_rate=0.00099999356", &(tolerance){1e-5, 2e-5});
}
