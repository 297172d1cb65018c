/* recorded.c -- see recorded.h. */
#include "recorded.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"

enum { MAX_BATCH = 64 };

tr_samples test_recorded_samples(hid_t file)
{
    size_t n_pixels, n;
    float *images = test_golden_floats(file, "images", &n_pixels);
    float *labels = test_golden_floats(file, "labels", &n);
    tr_samples samples = {.n = (int64_t)n, .h = 9, .w = 7, .c = 3, .pixel = TR_PIXEL_U8};
    uint8_t *x = tr_alloc(n_pixels, 1);
    int32_t *y = tr_alloc(n, sizeof *y);
    for (size_t i = 0; i < n_pixels; i++)
        x[i] = (uint8_t)images[i];
    for (size_t i = 0; i < n; i++)
        y[i] = (int32_t)labels[i];
    samples.x = x;
    samples.y = y;
    tr_free(images);
    tr_free(labels);
    return samples;
}

void test_recorded_losses(test_rig *rig, hid_t file, const char *variant, const tr_samples *samples,
                          double allowed)
{
    size_t n_rows, n_steps;
    char path[128];
    tr_error err = {0};
    snprintf(path, sizeof path, "%s/losses", variant);
    float *rows = test_golden_floats(file, "batches", &n_rows);
    float *losses = test_golden_floats(file, path, &n_steps);
    const size_t width = n_rows / n_steps;
    for (size_t step = 0; step < n_steps; step++) {
        uint32_t index[MAX_BATCH];
        tr_sums sums;
        int64_t n = 0;
        cr_assert_leq(width, MAX_BATCH);
        for (; n < (int64_t)width && rows[step * width + (size_t)n] >= 0.0f; n++)
            index[n] = (uint32_t)rows[step * width + (size_t)n];
        cr_assert_eq(tr_engine_step(rig->engine, samples, index, n, &sums, &err), TR_OK);
        const double loss = sums.loss / (double)n, keras = (double)losses[step];
        cr_expect(fabs(loss - keras) <= allowed, "%s, step %zu: loss %.7f, Keras %.7f", variant,
                  step + 1, loss, keras);
    }
    tr_free(rows);
    tr_free(losses);
}

void test_recorded_weights(test_rig *rig, hid_t file, const char *variant, double allowed)
{
    tr_engine_finish(rig->engine);
    for (int w = 0; w < tr_model_n_weights(rig->model); w++) {
        const tr_weight_info info = tr_model_weight(rig->model, w);
        char path[192];
        size_t n;
        snprintf(path, sizeof path, "%s/final/%s/%s", variant, info.layer, info.name);
        float *keras = test_golden_floats(file, path, &n), *ours = test_rig_weight(rig, w);
        /* statistics are measured, frozen weights stay */
        const bool stays = !info.trained && strncmp(info.name, "moving_", 7) != 0;
        test_close(path, ours, keras, n, stays ? 0.0 : allowed, 0.0);
        tr_free(keras);
        tr_free(ours);
    }
}
