/* identity.c -- what a run is made of, as digests: its data, its split, the machine's arithmetic.
 */
#include <stdio.h>
#include <string.h>

#include "digest.h"
#include "mem.h"
#include "run_internal.h"

static void add_samples(tr_digest *digest, const tr_samples *samples)
{
    const int64_t about[] = {samples->n, samples->h,     samples->w,
                             samples->c, samples->pixel, samples->width};
    const size_t n = (size_t)samples->n;
    const size_t pixels = n * (size_t)(samples->h * samples->w * samples->c);
    tr_digest_add(digest, about, sizeof about);
    tr_digest_add(digest, samples->x, pixels * (samples->pixel == TR_PIXEL_U8 ? 1 : sizeof(float)));
    if (samples->y != NULL)
        tr_digest_add(digest, samples->y, n * sizeof *samples->y);
    if (samples->values != NULL)
        tr_digest_add(digest, samples->values, n * (size_t)samples->width * sizeof(float));
    if (samples->weights != NULL)
        tr_digest_add(digest, samples->weights, n * sizeof(float));
}

static void add_split(tr_digest *digest, const tr_split *split)
{
    const int64_t counts[] = {split->n_train, split->n_validation};
    tr_digest_add(digest, counts, sizeof counts);
    tr_digest_add(digest, split->train, (size_t)split->n_train * sizeof *split->train);
    tr_digest_add(digest, split->validation,
                  (size_t)split->n_validation * sizeof *split->validation);
}

tr_status tr_run_identify(tr_identity *out, const tr_run *run, tr_error *err)
{
    tr_digest *dataset = tr_digest_new(), *split = tr_digest_new();
    tr_status status = TR_OK;
    if (dataset == NULL || split == NULL) {
        status = tr_out_of_memory(err, NULL);
    } else {
        add_samples(dataset, tr_dataset_train(run->dataset));
        if (tr_dataset_validation(run->dataset)->n > 0)
            add_samples(dataset, tr_dataset_validation(run->dataset));
        add_split(split, &run->split);
        tr_digest_text(dataset, out->dataset_digest);
        tr_digest_text(split, out->split_digest);
        tr_model_arithmetic(run->model, out->machine, sizeof out->machine);
    }
    tr_digest_free(dataset);
    tr_digest_free(split);
    return status;
}
