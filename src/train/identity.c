/* identity.c -- what a run is made of, as digests: its data, its split, the machine's arithmetic.
 */
#include <stdio.h>
#include <string.h>

#include "digest.h"
#include "mem.h"
#include "run_internal.h"
#include "samples.h"

typedef struct image_digest {
    tr_digest *digest;
    size_t image_bytes;
} image_digest;

static void add_images(void *user, const void *x, int64_t n)
{
    const image_digest *self = user;
    tr_digest_add(self->digest, x, (size_t)n * self->image_bytes);
}

static tr_status add_samples(tr_digest *digest, const tr_samples *samples, tr_error *err)
{
    const int64_t about[] = {samples->n, samples->h,     samples->w,
                             samples->c, samples->pixel, samples->width};
    const size_t n = (size_t)samples->n;
    image_digest images = {digest, (size_t)(samples->h * samples->w * samples->c) *
                                       (samples->pixel == TR_PIXEL_U8 ? 1 : sizeof(float))};
    tr_digest_add(digest, about, sizeof about);
    TR_TRY(tr_samples_visit(samples, add_images, &images, err));
    if (samples->y != NULL)
        tr_digest_add(digest, samples->y, n * sizeof *samples->y);
    if (samples->values != NULL)
        tr_digest_add(digest, samples->values, n * (size_t)samples->width * sizeof(float));
    if (samples->weights != NULL)
        tr_digest_add(digest, samples->weights, n * sizeof(float));
    return TR_OK;
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
        status = add_samples(dataset, tr_dataset_train(run->dataset), err);
        if (status == TR_OK && tr_dataset_validation(run->dataset)->n > 0)
            status = add_samples(dataset, tr_dataset_validation(run->dataset), err);
        add_split(split, &run->split);
        tr_digest_text(dataset, out->dataset_digest);
        tr_digest_text(split, out->split_digest);
        tr_model_arithmetic(run->model, out->machine, sizeof out->machine);
    }
    tr_digest_free(dataset);
    tr_digest_free(split);
    return status;
}
