/* class_weights.c -- the class weights of a run as weights of its training samples.
 *
 * A target of several numbers is of the class of its largest, one number that of its rounded value,
 * as in Keras; a class without a weight, such as -1, counts once.
 */
#include <math.h>
#include <string.h>

#include "mem.h"
#include "model_internal.h"
#include "run_internal.h"
#include "target.h"

static int64_t class_of(const tr_samples *samples, int64_t i)
{
    const tr_targets targets = {.classes = samples->y, .values = samples->values};
    if (samples->y != NULL || samples->width > 1)
        return tr_target_class(&targets, i, samples->width);
    return (int64_t)rint((double)samples->values[i]);
}

/* scikit-learn's compute_class_weight("balanced"): of the classes that there are. */
static void balance(double *weights, const tr_run *run, const tr_samples *train, int n_classes)
{
    int64_t n_present = 0;
    memset(weights, 0, (size_t)n_classes * sizeof *weights);
    for (int64_t i = 0; i < run->split.n_train; i++) {
        const int64_t class = class_of(train, run->split.train[i]);
        if (class >= 0 && class < n_classes)
            n_present += weights[class]++ == 0.0;
    }
    for (int c = 0; c < n_classes; c++)
        if (weights[c] > 0.0)
            weights[c] = (double)run->split.n_train / ((double)n_present * weights[c]);
}

tr_status tr_run_weigh_classes(tr_run *run, tr_error *err)
{
    const tr_class_weight *asked = &run->model->class_weight;
    run->train = *tr_dataset_train(run->dataset);
    if (asked->n_classes == 0)
        return TR_OK;
    const tr_samples *train = tr_dataset_train(run->dataset);
    double *by_class = tr_alloc((size_t)asked->n_classes, sizeof *by_class);
    run->class_weights = tr_alloc((size_t)train->n, sizeof *run->class_weights);
    if (by_class == NULL || run->class_weights == NULL) {
        tr_free(by_class);
        return tr_out_of_memory(err, NULL);
    }
    if (asked->balanced)
        balance(by_class, run, train, asked->n_classes);
    else
        memcpy(by_class, asked->given.values, (size_t)asked->n_classes * sizeof *by_class);
    for (int64_t i = 0; i < train->n; i++) {
        const int64_t class = class_of(train, i);
        run->class_weights[i] =
            class >= 0 && class < asked->n_classes ? (float)by_class[class] : 1.0f;
    }
    run->train.weights = run->class_weights;
    tr_free(by_class);
    return TR_OK;
}
