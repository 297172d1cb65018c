/* threads.c -- a configuration trained with 1, 3 and 7 threads, however many cores there are.
 *
 *     random_threads CONFIG
 *
 * A plain program for differ.py: the command line takes no more threads than can run at once. Two
 * epochs over its training images in their order, from the weights that its seed draws; one digest
 * of the parameters where all three agree, else each, and exit code 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "mem.h"
#include "trainer/config.h"
#include "trainer/dataset.h"

enum { EPOCHS = 2 };

static void must(tr_status status, const tr_error *err)
{
    if (status == TR_OK)
        return;
    fprintf(stderr, "random_threads: %s\n", err->text);
    exit(2);
}

static void train(tr_engine *engine, const tr_samples *samples, int64_t batch)
{
    tr_error err = {0};
    uint32_t *index = tr_alloc((size_t)batch, sizeof *index);
    if (index == NULL)
        exit(2);
    for (int epoch = 0; epoch < EPOCHS; epoch++)
        for (int64_t first = 0; first < samples->n; first += batch) {
            tr_sums sums;
            const int64_t left = samples->n - first, n = left < batch ? left : batch;
            for (int64_t i = 0; i < n; i++)
                index[i] = (uint32_t)(first + i);
            must(tr_engine_step(engine, samples, index, n, &sums, &err), &err);
        }
    tr_free(index);
}

static void find_digest(const char *path, int threads, char digest[33])
{
    tr_error err = {0};
    tr_config *config = NULL;
    tr_model *model = NULL;
    tr_engine *engine = NULL;
    tr_dataset *dataset = NULL;
    must(tr_config_load(&config, path, NULL, 0, &err), &err);
    must(tr_model_parse(&model, config, &err), &err);
    must(tr_config_check(config, &err), &err);
    must(tr_dataset_open(&dataset, config, tr_model_targets(model), &err), &err);
    must(tr_model_build(model, &err), &err);
    const int64_t batch = config->fit.batch_size;
    must(tr_engine_new(&engine, model, tr_model_optimizers(model), threads, batch, batch, &err),
         &err);
    train(engine, tr_dataset_train(dataset), batch);
    must(tr_model_digest(model, digest, &err), &err);
    tr_engine_free(engine);
    tr_dataset_free(dataset);
    tr_model_free(model);
    tr_config_free(config);
}

int main(int argc, char **argv)
{
    static const int counts[] = {1, 3, 7};
    char digests[3][33];
    if (argc != 2) {
        fprintf(stderr, "usage: random_threads CONFIG\n");
        return 2;
    }
    for (int i = 0; i < 3; i++)
        find_digest(argv[1], counts[i], digests[i]);
    if (strcmp(digests[0], digests[1]) == 0 && strcmp(digests[0], digests[2]) == 0) {
        printf("%s\n", digests[0]);
        return 0;
    }
    for (int i = 0; i < 3; i++)
        printf("%d threads: %s\n", counts[i], digests[i]);
    return 1;
}
