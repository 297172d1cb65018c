/* engine.h -- data-parallel training on the cores of one machine.
 *
 * Every thread owns replicas: the memory to take one micro-batch through the whole network. A step
 * hands the micro-batches of a batch to the threads as they become free; each micro-batch writes
 * its gradient into a slot of its own; then all threads sum the slots in the fixed tree of reduce.h
 * and update the parameters, each over its own range. Threads are a matter of speed only: what is
 * computed from what, and added in which order, is fixed by the configuration.
 */
#ifndef TR_ENGINE_H
#define TR_ENGINE_H

#include "metric_sums.h"
#include "profile.h"
#include "reduce.h"
#include "thread_count.h"
#include "trained.h"
#include "trainer/dataset.h"
#include "trainer/model.h"

typedef struct tr_engine tr_engine;

/* The number of threads that `model`, which is built, should get: its [engine] threads, else
 * OMP_NUM_THREADS, else what the machine has to offer (thread_count.h); `why` in words. */
int tr_engine_choose_threads(const tr_model *model, char why[TR_WHY_MAX]);

/* `threads`, at least 1, are used as they are; one without OpenMP. `model` is built; `optimizers`
 * are copied, and may be NULL for an engine that only evaluates. Allocates everything that steps
 * of up to `max_train` samples and evaluations of up to `max_evaluate` need. */
tr_status tr_engine_new(tr_engine **out, tr_model *model, const tr_optimizers *optimizers,
                        int threads, int64_t max_train, int64_t max_evaluate, tr_error *err);
void tr_engine_free(tr_engine *engine);

int tr_engine_threads(const tr_engine *engine);
int64_t tr_engine_outputs(const tr_engine *engine); /* numbers that the network gives per sample */

/* One training step on samples[index[0 .. n-1]], 1 <= n <= max_train: gradients of the mean loss,
 * then one update. *sums: loss and metrics under the parameters before the update. TR_ERR_DATA
 * where streamed images cannot be read: nothing has happened then. */
tr_status tr_engine_step(tr_engine *engine, const tr_samples *samples, const uint32_t *index,
                         int64_t n, tr_sums *sums, tr_error *err);

/* Loss and metrics of samples[index[0 .. n-1]] in inference mode, 1 <= n <= max_evaluate, in
 * batches of [evaluate] batch_size that are worked on together, so that no thread waits between
 * them. predictions [n, outputs], as the last layer gives them, or NULL. Samples without targets
 * are only predicted: *sums counts them and nothing else. */
tr_status tr_engine_evaluate(tr_engine *engine, const tr_samples *samples, const uint32_t *index,
                             int64_t n, float *predictions, tr_sums *sums, tr_error *err);

/* What such sums, of any number of steps or evaluations added up, say. */
tr_metrics tr_engine_metrics(const tr_engine *engine, const tr_sums *sums);

/* Steps made so far: Keras's optimizer.iterations; with gradient accumulation, the batches. */
int64_t tr_engine_iterations(const tr_engine *engine);
/* The learning rate of the next step, as Keras's optimizer.learning_rate shows it. */
double tr_engine_learning_rate(const tr_engine *engine);

/* The learning rates of the model's optimizers, where they were changed since. */
void tr_engine_take_rates(tr_engine *engine);

/* At the end of a training, after the last step: with use_ema the weights become their average, as
 * at the end of Keras's fit(). True if the weights changed. */
bool tr_engine_finish(tr_engine *engine);

/* ---- the optimizer's state; not for an engine that only evaluates ---- */

/* The slots of a weight that is trained (tr_model_slots(), numbered as there; others must not be
 * asked for); values cross in Keras's layout. Together with the weights and the number of
 * iterations they are all that the next step depends on. */
tr_status tr_engine_get_slot(const tr_engine *engine, int slot, int weight, float *values,
                             tr_error *err);
tr_status tr_engine_set_slot(tr_engine *engine, int slot, int weight, const float *values,
                             tr_error *err);
void tr_engine_set_iterations(tr_engine *engine, int64_t iterations);

/* Starts profiling from zero, or ends it. A step then costs a little more. */
tr_status tr_engine_profile(tr_engine *engine, bool on, tr_error *err);
/* What a thread measured; NULL unless profiling is on. */
const tr_profile *tr_engine_profile_of(const tr_engine *engine, int thread);

/* Calls work(user, thread) on every thread at once, as a step would. */
void tr_engine_each(tr_engine *engine, void (*work)(void *user, int thread), void *user);

/* The mean gradient of the last step, packed like the parameters, recomputed from the slots; for
 * tests. Fills the trained range of out, which comes first. */
void tr_engine_gradient(const tr_engine *engine, float *out);

#endif
