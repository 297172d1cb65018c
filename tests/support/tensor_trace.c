/* tensor_trace.c -- see tensor_trace.h. */
#include "tensor_trace.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "h5_attributes.h"
#include "mem.h"
#include "net.h"
#include "update.h"

enum { STEPS = 8, TENSORS = 8, GAP = 5 /* floats that belong to no tensor */, ROOM = 4096 };

static const tr_weight_tensor tensors[TENSORS] = {
    {"conv", "kernel", 4, {3, 2, 4, 5}, 120},
    {"conv", "bias", 1, {5}, 5},
    {"tall", "kernel", 2, {41, 7}, 287},
    {"wide", "kernel", 2, {6, 21}, 126},
    {"wide", "bias", 1, {21}, 21},
    {"deep", "depthwise_kernel", 4, {3, 3, 4, 2}, 72},
    {"last", "kernel", 2, {21, 1}, 21},
    {"norm", "gamma", 1, {4}, 4},
};

/* Only the names of the layers are looked at. */
static const char before_keys[] =
    "[model]\ninput_shape = 1, 1, 1\n[layer.conv]\ntype = flatten\n[layer.tall]\ntype = flatten\n"
    "[layer.wide]\ntype = flatten\n[layer.deep]\ntype = flatten\n[layer.last]\ntype = flatten\n"
    "[layer.norm]\ntype = flatten\n[optimizer]\n";

typedef struct trace {
    hid_t file, group;
    const char *name;
    tr_config *config;
    tr_optimizers optimizers;
    tr_flat_tensor flat[TENSORS];
    float weights[ROOM], gradients[ROOM];
    double allowed;
    int64_t averages;
} trace;

static float *read_tensor(const trace *self, const char *what, int tensor)
{
    size_t n;
    char *path = tr_format("%s/%s.%s", what, tensors[tensor].layer, tensors[tensor].name);
    float *values = test_golden_floats(self->file, path, &n);
    tr_free(path);
    return values;
}

static void open_trace(trace *self)
{
    char ini[2048], optimizer[64];
    double deviation;
    tr_error err = {0};
    size_t at = 0;
    self->group = H5Gopen2(self->file, self->name, H5P_DEFAULT);
    cr_assert(tr_h5_read_text(self->group, "ini", ini, sizeof ini));
    cr_assert(tr_h5_read_text(self->group, "optimizer", optimizer, sizeof optimizer));
    cr_assert(tr_h5_read_real(self->group, "deviation", &deviation));
    cr_assert(tr_h5_read_int(self->group, "average", &self->averages));
    char *body = tr_format("%s%s", before_keys, ini);
    self->config = test_config(body, NULL, 0);
    self->config->compile.optimizer = optimizer;
    cr_assert_eq(tr_optimizers_make(&self->optimizers, self->config, &err), TR_OK);
    cr_assert_eq(tr_config_check(self->config, &err), TR_OK, "%s: %s", self->name, err.text);
    tr_free(body);
    /* Keras computes in float32, as we do, with other sums, and its scalars (powers of beta), which
     * are doubles here, too: as far from float64 as it is itself, and an error of those scalars. */
    self->allowed = 4.0 * deviation + 3e-6;
    for (int i = 0; i < TENSORS; i++) {
        float *start = read_tensor(self, "start", i);
        self->flat[i] =
            (tr_flat_tensor){.tensor = tensors[i],
                             .optimizer = tr_optimizers_of(&self->optimizers, tensors[i].layer),
                             .offset = at,
                             .n = tensors[i].n};
        memcpy(self->weights + at, start, tensors[i].n * sizeof *start);
        tr_free(start);
        at += tensors[i].n + GAP;
    }
    cr_assert_leq(at, ROOM);
}

static void fill_gradients(trace *self, int step)
{
    for (int i = 0; i < TENSORS; i++) {
        float *all = read_tensor(self, "gradients", i);
        memcpy(self->gradients + self->flat[i].offset, all + (size_t)step * tensors[i].n,
               tensors[i].n * sizeof *all);
        tr_free(all);
    }
}

static void compare_weights(trace *self, int row)
{
    for (int i = 0; i < TENSORS; i++) {
        char text[128];
        char *what = tr_format("%s/weights", self->name);
        float *expected = read_tensor(self, what, i);
        snprintf(text, sizeof text, "%s, step %d, %s.%s", self->name, row + 1, tensors[i].layer,
                 tensors[i].name);
        test_close(text, self->weights + self->flat[i].offset,
                   expected + (size_t)row * tensors[i].n, tensors[i].n, self->allowed, 0.0);
        tr_free(expected);
        tr_free(what);
    }
}

/* ---- slots: Keras numbers them, optimizer by optimizer ---- */

static int compare_slot(trace *self, const tr_updater *updater, int number, int tensor, int k,
                        const tr_slot *slot)
{
    size_t n, expected_n = 1;
    char text[128];
    char *path = tr_format("%s/slots/%d", self->name, number);
    float *expected = test_golden_floats(self->file, path, &n);
    for (int d = 0; d < slot->n_dims; d++)
        expected_n *= (size_t)slot->dims[d];
    snprintf(text, sizeof text, "%s, slot %d, %s of %s.%s", self->name, number, slot->name,
             tensors[tensor].layer, tensors[tensor].name);
    cr_assert_eq(n, expected_n, "%s: %zu elements, Keras has %zu", text, expected_n, n);
    test_close(text, tr_updater_slot(updater, k) + self->flat[tensor].offset, expected, n,
               self->allowed, 0.0);
    tr_free(expected);
    tr_free(path);
    return number + 1;
}

/* Keras 3.15: averages, accumulators, then the optimizer's own, each time tensor by tensor. */
static int compare_slots(trace *self, const tr_updater *updater, int optimizer, int number)
{
    const tr_optimizer *of = self->optimizers.items[optimizer];
    const int first = tr_optimizer_first_own(of);
    number += of->schedule.ops == NULL ? 2 : 1; /* iteration, learning_rate */
    for (int run = 0; run <= first; run++)
        for (int i = 0; i < TENSORS; i++) {
            tr_slot slots[TR_MAX_ALL_SLOTS];
            const int n = tr_optimizer_slots(of, &tensors[i], slots);
            for (int k = run; self->flat[i].optimizer == optimizer && k < n; k++) {
                number = compare_slot(self, updater, number, i, k, &slots[k]);
                if (run < first)
                    break;
            }
        }
    return number;
}

static void compare_all_slots(trace *self, const tr_updater *updater)
{
    const int n = self->optimizers.n;
    int number = n > 1 ? 2 : 0; /* MultiOptimizer's own */
    for (int i = 1; i <= n; i++) {
        /* Keras's map has them in the order of the file, and the default last. */
        number = compare_slots(self, updater, i % n, number);
    }
    char *path = tr_format("%s/slots/%d", self->name, number);
    cr_assert_not(test_golden_has(self->file, path), "%s: Keras has more than %d", self->name,
                  number);
    tr_free(path);
}

static void follow(hid_t file, const char *name)
{
    static trace self;
    tr_updater *updater = NULL;
    tr_error err = {0};
    memset(&self, 0, sizeof self);
    self.file = file;
    self.name = name;
    open_trace(&self);
    cr_assert_eq(tr_updater_new(&updater, &self.optimizers, self.flat, TENSORS, ROOM, &err), TR_OK,
                 "%s", err.text);
    const tr_leaves leaves = {.first = self.gradients, .stride = ROOM, .n = 1};
    for (int step = 0; step < STEPS; step++) {
        fill_gradients(&self, step);
        tr_updater_begin(updater, step);
        tr_updater_run(updater, self.weights, &leaves, NULL, 0, 1);
        compare_weights(&self, step);
    }
    compare_all_slots(&self, updater);
    cr_assert_eq(tr_updater_finish(updater, self.weights), self.averages != 0);
    if (self.averages)
        compare_weights(&self, STEPS);
    for (int i = 0; i < TENSORS; i++)
        for (size_t k = 0; k < GAP; k++)
            cr_assert_eq(self.weights[self.flat[i].offset + tensors[i].n + k], 0.0f);
    tr_updater_free(updater);
    tr_optimizers_release(&self.optimizers);
    tr_config_free(self.config);
    H5Gclose(self.group);
}

void test_tensor_traces(const char *prefix, int least)
{
    const hid_t file = test_golden_open("optimizer_tensors.h5");
    H5G_info_t info;
    int followed = 0;
    H5Gget_info(file, &info);
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[64];
        H5Lget_name_by_idx(file, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                           H5P_DEFAULT);
        if (strncmp(name, prefix, strlen(prefix)) != 0)
            continue;
        follow(file, name);
        followed++;
    }
    cr_assert_geq(followed, least);
    H5Fclose(file);
}
