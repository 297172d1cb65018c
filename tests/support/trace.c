/* trace.c -- see trace.h. */
#include "trace.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "trainer/fit.h"
#include "update.h"

enum {
    STEPS = 6,
    TENSORS = 2,
    PACKED = 16, /* room of a tensor in the flat vectors; each is smaller */
    N_FLOATS = TENSORS * PACKED,
    MAX = 4096
};

/* ---- an optimizer ---- */

static const char before_keys[] = "[model]\ninput_shape = 1, 1, 1\n[layer.a]\ntype = flatten\n"
                                  "[optimizer]\n";

static tr_config *configure(const char *name, const char *keys)
{
    char *body = tr_format("%s%s", before_keys, keys);
    tr_config *config = test_config(body, NULL, 0);
    config->compile.optimizer = name;
    tr_free(body);
    return config;
}

tr_optimizer *test_optimizer(const char *name, const char *keys, tr_config **config)
{
    tr_optimizer *optimizer = NULL;
    tr_error err = {0};
    *config = configure(name, keys);
    cr_assert_eq(tr_optimizer_make(&optimizer, *config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_config_check(*config, &err), TR_OK, "%s", err.text);
    return optimizer;
}

void test_optimizer_refuses(const char *optimizer, const char *keys, int line, const char *expected)
{
    tr_error err = {0};
    tr_config *config = configure(optimizer, keys);
    char place[32];
    int first = 4; /* lines of [data] and its keys */
    for (const char *c = before_keys; *c != '\0'; c++)
        first += *c == '\n';
    snprintf(place, sizeof place, ".ini:%d: ", first + line - 1);
    tr_optimizer *made = NULL;
    cr_assert_eq(tr_optimizer_make(&made, config, &err), TR_OK);
    tr_free(made);
    cr_assert_eq(tr_config_check(config, &err), TR_ERR_CONFIG, "accepted: %s", keys);
    cr_assert_not_null(strstr(err.text, expected), "%s", err.text);
    cr_assert_not_null(strstr(err.text, place), "not in line %d (%s):\n%s", line, place, err.text);
    tr_config_free(config);
}

/* ---- Keras's steps ---- */

typedef struct recorded_case {
    hid_t file;
    const char *name;
    size_t n[TENSORS];
    float *gradients[TENSORS], *expected[TENSORS]; /* [STEPS, n] */
} recorded_case;

static float *read_tensor(hid_t file, size_t *n, const char *format, const char *name, int tensor)
{
    char *path = tr_format(format, name, tensor);
    float *values = test_golden_floats(file, path, n);
    tr_free(path);
    return values;
}

static recorded_case open_case(const char *name, float weights[N_FLOATS])
{
    recorded_case opened = {.file = test_golden_open("optimizers.h5"), .name = name};
    for (int i = 0; i < TENSORS; i++) {
        size_t n;
        float *start = read_tensor(opened.file, &opened.n[i], "%sw0_%d", "", i);
        opened.gradients[i] = read_tensor(opened.file, &n, "%sgrads_%d", "", i);
        opened.expected[i] = read_tensor(opened.file, &n, "%s/w_%d", name, i);
        cr_assert_eq(n, opened.n[i] * STEPS);
        cr_assert_lt(opened.n[i], PACKED);
        memcpy(weights + i * PACKED, start, opened.n[i] * sizeof *start);
        tr_free(start);
    }
    return opened;
}

static void close_case(recorded_case *opened)
{
    for (int i = 0; i < TENSORS; i++) {
        tr_free(opened->gradients[i]);
        tr_free(opened->expected[i]);
    }
    H5Fclose(opened->file);
}

static void compare(const recorded_case *recorded, const float *values, int tensor,
                    const float *expected, const char *what)
{
    char text[128];
    const float *own = values + tensor * PACKED;
    const size_t n = recorded->n[tensor];
    snprintf(text, sizeof text, "%s, tensor %d, %s", recorded->name, tensor, what);
    /* Both are float32; Keras rounds its scalars to float32 before using them. */
    test_close(text, own, expected, n, 1e-6, 1e-6);
}

/* Keras stores "<number>_w<tensor>_<slot>"; all of them, and no others, must be ours. */
static void compare_slots(const recorded_case *recorded, const tr_updater *updater,
                          const tr_optimizer *optimizer)
{
    tr_slot slots[TR_MAX_ALL_SLOTS];
    const int n_slots = tr_optimizer_slots(optimizer, &(tr_weight_tensor){.n = PACKED}, slots);
    int found = 0, stored = 0;
    for (int number = 0; number < 16; number++)
        for (int slot = 0; slot < n_slots; slot++)
            for (int i = 0; i < TENSORS; i++) {
                size_t n;
                const char *name = slots[slot].name;
                char *path = tr_format("%s/optvars/%02d_w%d_%s", recorded->name, number, i, name);
                if (test_golden_has(recorded->file, path)) {
                    float *expected = test_golden_floats(recorded->file, path, &n);
                    compare(recorded, tr_updater_slot(updater, slot), i, expected, name);
                    tr_free(expected);
                    found++;
                }
                tr_free(path);
            }
    char *path = tr_format("%s/optvars", recorded->name);
    const hid_t group = H5Gopen2(recorded->file, path, H5P_DEFAULT);
    H5G_info_t info;
    H5Gget_info(group, &info);
    for (hsize_t k = 0; k < info.nlinks; k++) {
        char link[64];
        H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, k, link, sizeof link,
                           H5P_DEFAULT);
        stored += strstr(link, "_w") != NULL;
    }
    H5Gclose(group);
    tr_free(path);
    cr_assert_eq(found, stored, "%s: %d of Keras's %d slots", recorded->name, found, stored);
    cr_assert_eq(found, n_slots * TENSORS);
}

void test_optimizer_trace(const char *recorded, const char *optimizer, const char *keys)
{
    static const tr_flat_tensor tensors[] = {{.offset = 0, .n = PACKED},
                                             {.offset = PACKED, .n = PACKED}};
    float weights[N_FLOATS] = {0}, gradients[N_FLOATS] = {0};
    tr_config *config;
    tr_updater *updater = NULL;
    tr_error err = {0};
    recorded_case opened = open_case(recorded, weights);
    tr_optimizers made = {.n = 1, .items = {test_optimizer(optimizer, keys, &config)}};
    cr_assert_eq(tr_updater_new(&updater, &made, tensors, TENSORS, N_FLOATS, &err), TR_OK);
    const tr_leaves leaves = {.first = gradients, .stride = N_FLOATS, .n = 1};
    for (int step = 0; step < STEPS; step++) {
        char text[32];
        snprintf(text, sizeof text, "step %d", step + 1);
        for (int i = 0; i < TENSORS; i++)
            memcpy(gradients + i * PACKED, opened.gradients[i] + (size_t)step * opened.n[i],
                   opened.n[i] * sizeof *gradients);
        tr_updater_begin(updater, step);
        tr_updater_run(updater, weights, &leaves, NULL, 0, 1);
        for (int i = 0; i < TENSORS; i++) {
            compare(&opened, weights, i, opened.expected[i] + (size_t)step * opened.n[i], text);
            for (size_t k = opened.n[i]; k < PACKED; k++)
                cr_assert_eq(weights[(size_t)i * PACKED + k], 0.0f, "padding must stay zero");
        }
    }
    compare_slots(&opened, updater, made.items[0]);
    tr_updater_free(updater);
    tr_optimizers_release(&made);
    tr_config_free(config);
    close_case(&opened);
}

/* ---- ranges ---- */

typedef struct subject {
    tr_optimizer *optimizer;
    tr_config *config;
    int n_slots;
    float *slots[TR_MAX_SLOTS];
} subject;

static subject make(const char *optimizer, const char *keys)
{
    subject made = {0};
    tr_slot slots[TR_MAX_SLOTS] = {{0}};
    made.optimizer = test_optimizer(optimizer, keys, &made.config);
    made.n_slots = made.optimizer->ops->slots(made.optimizer, &(tr_weight_tensor){.n = MAX}, slots);
    for (int i = 0; i < made.n_slots; i++) {
        made.slots[i] = tr_alloc(MAX, sizeof(float));
        for (int k = 0; k < MAX; k++)
            made.slots[i][k] = (float)slots[i].initial;
    }
    return made;
}

static void discard(subject *made)
{
    for (int i = 0; i < made->n_slots; i++)
        tr_free(made->slots[i]);
    tr_free(made->optimizer);
    tr_config_free(made->config);
}

static void update(subject *made, float *weights, float *gradients, size_t begin, size_t n)
{
    tr_update range = {.weights = weights + begin, .gradients = gradients + begin, .n = n};
    for (int i = 0; i < made->n_slots; i++)
        range.slots[i] = made->slots[i] + begin;
    made->optimizer->ops->update(made->optimizer, &range);
}

void test_optimizer_split(const char *optimizer, const char *keys)
{
    static float whole[MAX], parts[MAX], gradients[MAX];
    test_fill(whole, MAX, 1);
    memcpy(parts, whole, sizeof parts);
    subject a = make(optimizer, keys), b = make(optimizer, keys);
    for (int step = 0; step < 3; step++) {
        test_fill(gradients, MAX, (unsigned)step + 11);
        tr_optimizer_begin(a.optimizer, step);
        tr_optimizer_begin(b.optimizer, step);
        update(&a, whole, gradients, 0, MAX);
        for (size_t begin = 0, n = 1; begin < MAX; begin += n, n = n % 61 + 3)
            update(&b, parts, gradients, begin, n < MAX - begin ? n : MAX - begin);
    }
    cr_assert_eq(memcmp(whole, parts, sizeof whole), 0);
    discard(&a);
    discard(&b);
}
