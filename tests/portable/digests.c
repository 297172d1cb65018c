/* digests.c -- what networks trained with kernels = portable are, to the bit: a line for each.
 *
 *     portable_digests ISA THREADS short|full CONFIG...
 *
 * A plain program, for whatever runs it: another compiler's, an emulator of another CPU. The images
 * are made here, by integers; `short` is a few steps with a last batch that is not full, `full` 3
 * epochs on 2,000 images. digests.sh compares the lines. Exit code 77: this CPU does not have the
 * instruction set, or this build not its kernels.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "kernels.h"
#include "mem.h"
#include "trainer/config.h"

enum { BATCH = 24, CLASSES = 10, NOTHING_TO_DO = 77 };

typedef struct amount {
    int images, epochs;
} amount;

static void must(tr_status status, const tr_error *err)
{
    if (status == TR_OK)
        return;
    fprintf(stderr, "portable_digests: %s\n", err->text);
    exit(1);
}

/* Dark images in which the class shows as a bright stripe, so that there is something to learn. */
static tr_samples make_samples(const int64_t hwc[3], int n)
{
    const size_t pixels = (size_t)(hwc[0] * hwc[1] * hwc[2]);
    uint8_t *x = tr_alloc((size_t)n, pixels);
    int32_t *y = tr_alloc((size_t)n, sizeof *y);
    if (x == NULL || y == NULL)
        exit(1);
    for (size_t i = 0; i < (size_t)n; i++) {
        y[i] = (int32_t)(i * 7 % CLASSES);
        for (size_t k = 0; k < pixels; k++) {
            const uint32_t noise = (uint32_t)(i * pixels + k) * 2654435761u >> 25;
            const bool bright = k * CLASSES / pixels == (size_t)y[i];
            x[i * pixels + k] = (uint8_t)(noise + (bright ? 128 : 0));
        }
    }
    return (tr_samples){.n = n, .h = hwc[0], .w = hwc[1], .c = hwc[2], .x = x, .y = y};
}

static void train(tr_engine *engine, const tr_samples *samples, amount much)
{
    tr_error err = {0};
    for (int epoch = 0; epoch < much.epochs; epoch++)
        for (int first = 0; first < much.images; first += BATCH) {
            uint32_t index[BATCH];
            tr_sums sums;
            const int left = much.images - first, n = left < BATCH ? left : BATCH;
            for (int i = 0; i < n; i++)
                index[i] = (uint32_t)(first + i);
            must(tr_engine_step(engine, samples, index, n, &sums, &err), &err);
        }
}

static void print_digest(const char *path, const char *isa, int threads, amount much)
{
    char set_isa[64], digest[33];
    const char *const overrides[] = {"engine.kernels=portable", set_isa};
    tr_error err = {0};
    tr_config *config = NULL;
    tr_model *model = NULL;
    tr_engine *engine = NULL;
    snprintf(set_isa, sizeof set_isa, "engine.isa=%s", isa);
    must(tr_config_load(&config, path, overrides, 2, &err), &err);
    must(tr_model_parse(&model, config, &err), &err);
    must(tr_config_check(config, &err), &err);
    must(tr_model_build(model, &err), &err);
    must(tr_engine_new(&engine, model, tr_model_optimizers(model), threads, BATCH, BATCH, &err),
         &err);
    const tr_samples samples = make_samples(config->input_shape, much.images);
    train(engine, &samples, much);
    must(tr_model_digest(model, digest, &err), &err);
    const char *name = strrchr(path, '/');
    printf("%s, %d epochs of %d images: %s\n", name == NULL ? path : name + 1, much.epochs,
           much.images, digest);
    tr_free((void *)samples.x);
    tr_free((void *)samples.y);
    tr_engine_free(engine);
    tr_model_free(model);
    tr_config_free(config);
}

/* Of the instruction set by the name that `isa` has in a configuration. */
static bool has_kernels(const char *isa)
{
    for (int set = 0; set < TR_N_SETS; set++) {
        const tr_kernels *kernels = tr_kernels_of((tr_instruction_set)set);
        if (kernels != NULL && strcmp(kernels->name, isa) == 0)
            return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: portable_digests ISA THREADS short|full CONFIG...\n");
        return 2;
    }
    if (!has_kernels(argv[1]))
        return NOTHING_TO_DO;
    const amount much = strcmp(argv[3], "full") == 0 ? (amount){2000, 3} : (amount){41, 2};
    for (int i = 4; i < argc; i++)
        print_digest(argv[i], argv[1], atoi(argv[2]), much);
    return 0;
}
