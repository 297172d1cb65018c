/* trace.c -- see trace.h. */
#include "trace.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "ini_file.h"
#include "mem.h"
#include "net.h"
#include "optimizer.h"

enum { STEPS = 6, MAX = 4096 };

typedef struct subject {
    tr_config *config;
    tr_optimizer *optimizer;
    int n_slots;
    float *slots[TR_MAX_SLOTS];
} subject;

static subject make(const char *optimizer, const char *keys, size_t n)
{
    subject made = {0};
    const char *names[TR_MAX_SLOTS];
    char *body = tr_format("[model]\ninput_shape = 1, 1, 1\n[layer.a]\ntype = flatten\n"
                           "[optimizer]\n%s",
                           keys);
    tr_error err = {0};
    made.config = test_config(body, NULL, 0);
    made.optimizer =
        tr_optimizer_new(tr_optimizer_find(optimizer), tr_ini_demand(made.config->ini, "optimizer"),
                         made.config->problems);
    cr_assert_eq(tr_config_check(made.config, &err), TR_OK, "%s", err.text);
    made.n_slots = made.optimizer->ops->slots(made.optimizer, names);
    for (int i = 0; i < made.n_slots; i++)
        made.slots[i] = tr_alloc(n, sizeof(float));
    tr_free(body);
    return made;
}

static void discard(subject *made)
{
    for (int i = 0; i < made->n_slots; i++)
        tr_free(made->slots[i]);
    tr_free(made->optimizer);
    tr_config_free(made->config);
}

static void update(subject *made, float *weights, const float *gradients, size_t begin, size_t n)
{
    tr_update range = {.weights = weights + begin, .gradients = gradients + begin, .n = n};
    for (int i = 0; i < made->n_slots; i++)
        range.slots[i] = made->slots[i] + begin;
    made->optimizer->ops->update(made->optimizer, &range);
}

static void follow(hid_t file, const char *recorded, const char *optimizer, const char *keys,
                   int tensor)
{
    char path[128];
    size_t n, n_all;
    snprintf(path, sizeof path, "w0_%d", tensor);
    float *weights = test_golden_floats(file, path, &n);
    snprintf(path, sizeof path, "grads_%d", tensor);
    float *gradients = test_golden_floats(file, path, &n_all);
    snprintf(path, sizeof path, "%s/w_%d", recorded, tensor);
    float *expected = test_golden_floats(file, path, &n_all);
    cr_assert_eq(n_all, n * STEPS);
    subject made = make(optimizer, keys, n);
    for (int step = 0; step < STEPS; step++) {
        made.optimizer->ops->begin(made.optimizer, step + 1);
        update(&made, weights, gradients + (size_t)step * n, 0, n);
        snprintf(path, sizeof path, "%s, tensor %d, step %d", recorded, tensor, step + 1);
        /* Both are float32; Keras rounds its scalars to float32 before using them. */
        test_close(path, weights, expected + (size_t)step * n, n, 1e-6, 1e-6);
    }
    discard(&made);
    tr_free(weights);
    tr_free(gradients);
    tr_free(expected);
}

void test_optimizer_trace(const char *recorded, const char *optimizer, const char *keys)
{
    const hid_t file = test_golden_open("optimizers.h5");
    follow(file, recorded, optimizer, keys, 0);
    follow(file, recorded, optimizer, keys, 1);
    H5Fclose(file);
}

void test_optimizer_split(const char *optimizer, const char *keys)
{
    static float whole[MAX], parts[MAX], gradients[MAX];
    test_fill(whole, MAX, 1);
    memcpy(parts, whole, sizeof parts);
    subject a = make(optimizer, keys, MAX), b = make(optimizer, keys, MAX);
    for (int step = 1; step <= 3; step++) {
        test_fill(gradients, MAX, (unsigned)step + 10);
        a.optimizer->ops->begin(a.optimizer, step);
        b.optimizer->ops->begin(b.optimizer, step);
        update(&a, whole, gradients, 0, MAX);
        for (size_t begin = 0, n = 1; begin < MAX; begin += n, n = n % 61 + 3)
            update(&b, parts, gradients, begin, n < MAX - begin ? n : MAX - begin);
    }
    cr_assert_eq(memcmp(whole, parts, sizeof whole), 0);
    discard(&a);
    discard(&b);
}
