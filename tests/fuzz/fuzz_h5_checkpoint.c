/* fuzz_h5_checkpoint.c -- a model's file that was changed as the bytes say (h5_twist.h): listed,
 * described, and its weights read into the model that the good file describes. HDF5 stays in its
 * child; this process gets an answer in time, and a refused file leaves the model as it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint_outline.h"
#include "fuzz.h"
#include "h5_twist.h"
#include "mem.h"
#include "trainer/checkpoint.h"
#include "trainer/config.h"
#include "trainer/model.h"

static const char *const bases[] = {"small_v3.9.2.h5", "keras3.16.0_mix.h5",
                                    "small_v3.9.2.weights.h5"};
enum { N_BASES = sizeof bases / sizeof *bases };

/* Whose configurations are needed; that of the last has none inside, but the first's network. */
static tr_model *model_of(unsigned which)
{
    static tr_model *models[N_BASES];
    char path[512];
    tr_checkpoint_info info = {0};
    tr_config *config = NULL;
    tr_error err = {0};
    if (models[which] != NULL)
        return models[which];
    snprintf(path, sizeof path, "%s/keras/%s", TR_GOLDEN, bases[which == 2 ? 0 : which]);
    if (tr_checkpoint_describe(&info, path, &err) != TR_OK ||
        tr_config_parse(&config, path, info.config, NULL, 0, &err) != TR_OK ||
        tr_model_parse(&models[which], config, &err) != TR_OK ||
        tr_model_build(models[which], &err) != TR_OK) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    tr_checkpoint_info_release(&info);
    return models[which];
}

static void digest(const tr_model *model, char text[33])
{
    tr_error err = {0};
    if (tr_model_digest(model, text, &err) != TR_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static char path[128];
    char good[512], before[33], after[33];
    fuzz_choices choices = {bytes, n};
    tr_checkpoint_outline *outline = NULL;
    tr_checkpoint_info info = {0};
    tr_error err = {0};
    if (path[0] == '\0')
        snprintf(path, sizeof path, "%s/input.h5", fuzz_folder());
    const unsigned which = fuzz_choose(&choices, N_BASES);
    tr_model *model = model_of(which);
    snprintf(good, sizeof good, "%s/keras/%s", TR_GOLDEN, bases[which]);
    fuzz_copy(good, path);
    fuzz_h5_twist(path, &choices);

    fuzz_expect(tr_checkpoint_outline_read(&outline, path, &err), &err);
    tr_checkpoint_outline_free(outline);
    fuzz_expect(tr_checkpoint_describe(&info, path, &err), &err);
    tr_checkpoint_info_release(&info);
    digest(model, before);
    const tr_status status = tr_checkpoint_read_weights(model, path, &err);
    fuzz_expect(status, &err);
    digest(model, after);
    if (status != TR_OK && strcmp(before, after) != 0)
        abort();
    return 0;
}
