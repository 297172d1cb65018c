/* muon.c -- Muon: momentum, made orthogonal (Jordan et al. 2024), as Keras computes it.
 *
 * A dense kernel is a matrix:
 *
 *     m = g + momentum m
 *     o = newton_schulz(nesterov ? g + momentum m : m)              newton_schulz.h
 *     w -= lr o rms_rate sqrt(max(rows, columns))                   rms_rate = none: w -= lr o
 *
 * All else has Adam's update, with a weight decay of its own and lr adam_lr_ratio. In Keras that is
 * the kernels of convolutions, too. As published they are matrices, one column for each filter:
 * `convolutions = matrices`; a depthwise kernel has a column for each channel and multiplier.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adam.h"
#include "newton_schulz.h"
#include "simd.h"

typedef struct muon {
    tr_adam adam; /* its scalars, for what is no matrix */
    double momentum, adam_weight_decay, adam_lr_ratio, rms_rate; /* rms_rate 0: none */
    double a, b, c;
    int64_t ns_steps;
    bool nesterov, exclude_embeddings;
    const char *exclude_layers;
    int convolutions;
} muon;

enum { BY_ADAM, AS_MATRICES };
static const char *const convolutions[] = {"adam", "matrices", NULL};

#define AT(field) offsetof(muon, field)
#define SHARE(key, field, value, text)                                                             \
    {                                                                                              \
        .name = key, .kind = TR_KEY_REAL, .offset = AT(field), .fallback = value, .max = 1,        \
        .below_max = true, .doc = text                                                             \
    }
#define COEFFICIENT(key, field, value)                                                             \
    {                                                                                              \
        .name = key, .kind = TR_KEY_REAL, .offset = AT(field), .fallback = value, .min = -1e3,     \
        .max = 1e3, .doc = "of the iteration Y = a Y + Y (b Y'Y + c Y'Y Y'Y)"                      \
    }

static const tr_key keys[] = {
    TR_ROW_LEARNING_RATE("0.001"),
    {.name = "weight_decay",
     .kind = TR_KEY_REAL,
     .offset = offsetof(tr_optimizer, weight_decay),
     .fallback = "0.004",
     .max = 1e6,
     .zero_word = "none",
     .doc = "each step first shrinks matrices by this share of the step size"},
    {.name = "adam_weight_decay",
     .kind = TR_KEY_REAL,
     .offset = AT(adam_weight_decay),
     .fallback = "0.004",
     .max = 1e6,
     .zero_word = "none",
     .doc = "and all other weights by this"},
    {.name = "convolutions",
     .kind = TR_KEY_CHOICE,
     .offset = AT(convolutions),
     .fallback = "adam",
     .choices = convolutions,
     .ours = true,
     .doc = "their kernels: by Adam, as in Keras, or matrices, as published"},
    {.name = "exclude_layers",
     .kind = TR_KEY_WORDS,
     .offset = AT(exclude_layers),
     .fallback = "",
     .doc = "Adam for weights that have one of these in \"layer/weight\""},
    {.name = "exclude_embeddings",
     .kind = TR_KEY_BOOL,
     .offset = AT(exclude_embeddings),
     .fallback = "true",
     .doc = "and for those of layers with \"embedding\" in their name"},
    {.name = "momentum",
     .kind = TR_KEY_REAL,
     .offset = AT(momentum),
     .fallback = "0.95",
     .max = 1,
     .doc = "share of the momentum that is kept"},
    {.name = "nesterov",
     .kind = TR_KEY_BOOL,
     .offset = AT(nesterov),
     .fallback = "true",
     .doc = "look ahead along the momentum"},
    {.name = "ns_steps",
     .kind = TR_KEY_INT,
     .offset = AT(ns_steps),
     .fallback = "5",
     .min = 1,
     .max = 100,
     .doc = "steps of the iteration that makes a matrix orthogonal"},
    {.name = "rms_rate",
     .kind = TR_KEY_REAL,
     .offset = AT(rms_rate),
     .fallback = "0.2",
     .max = 1e6,
     .zero_word = "none",
     .doc = "size of a step of a matrix, so that Adam's rates fit; none: as it is"},
    COEFFICIENT("muon_a", a, "3.4445"),
    COEFFICIENT("muon_b", b, "-4.775"),
    COEFFICIENT("muon_c", c, "2.0315"),
    SHARE("adam_beta_1", adam.beta_1, "0.9", "decay of Adam's mean gradient"),
    SHARE("adam_beta_2", adam.beta_2, "0.999", "decay of Adam's mean squared gradient"),
    TR_ROW_EPSILON(tr_adam),
    {.name = "adam_lr_ratio",
     .kind = TR_KEY_REAL,
     .offset = AT(adam_lr_ratio),
     .fallback = "1",
     .max = 1e6,
     .doc = "Adam's learning rate, as a share of learning_rate"},
};

/* ---- which ---- */

/* Keras searches the variable's path for them. */
static bool is_excluded(const muon *self, const tr_weight_tensor *tensor)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", tensor->layer, tensor->name);
    for (const char *at = self->exclude_layers; *at != '\0';) {
        char word[128];
        at += strspn(at, ", ");
        const size_t n = strcspn(at, ", ");
        snprintf(word, sizeof word, "%.*s", (int)n, at);
        if (n > 0 && strstr(path, word) != NULL)
            return true;
        at += n;
    }
    for (char *c = path; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return self->exclude_embeddings && strstr(path, "embedding") != NULL;
}

/* No columns: it is none. */
static tr_newton_schulz matrix_of(const muon *self, const tr_weight_tensor *tensor)
{
    tr_newton_schulz matrix = {
        .a = self->a, .b = self->b, .c = self->c, .steps = (int)self->ns_steps};
    const int n = tensor->n_dims;
    const bool kernel = n == 4 && self->convolutions == AS_MATRICES;
    if ((n != 2 && !kernel) || is_excluded(self, tensor))
        return matrix;
    const bool depthwise = kernel && strcmp(tensor->name, "depthwise_kernel") == 0;
    matrix.columns = (size_t)(tensor->dims[n - 1] * (depthwise ? tensor->dims[2] : 1));
    matrix.rows = tensor->n / matrix.columns;
    return matrix;
}

static bool is_matrix(const tr_optimizer *optimizer, const tr_weight_tensor *tensor)
{
    return matrix_of((const muon *)optimizer, tensor).columns > 0;
}

static int slots_of(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                    tr_slot slots[TR_MAX_SLOTS])
{
    slots[0].name = "momentum";
    slots[1].name = "velocity";
    return is_matrix(optimizer, tensor) ? 1 : 2;
}

static double weight_decay(const tr_optimizer *optimizer, const tr_weight_tensor *tensor)
{
    return is_matrix(optimizer, tensor) ? optimizer->weight_decay
                                        : ((const muon *)optimizer)->adam_weight_decay;
}

/* ---- a step ---- */

static void begin(tr_optimizer *optimizer, int64_t t)
{
    tr_adam_begin(optimizer, t);
    muon *self = (muon *)optimizer;
    self->adam.alpha = self->adam.alpha * (float)self->adam_lr_ratio;
}

static size_t room(const tr_optimizer *optimizer, const tr_weight_tensor *tensor)
{
    const tr_newton_schulz matrix = matrix_of((const muon *)optimizer, tensor);
    return tr_newton_schulz_room(&matrix);
}

static int passes(const tr_optimizer *optimizer, const tr_weight_tensor *tensor)
{
    const tr_newton_schulz matrix = matrix_of((const muon *)optimizer, tensor);
    return tr_newton_schulz_passes(&matrix);
}

static size_t parts(const tr_optimizer *optimizer, const tr_weight_tensor *tensor, int pass)
{
    const tr_newton_schulz matrix = matrix_of((const muon *)optimizer, tensor);
    return tr_newton_schulz_parts(&matrix, pass);
}

TR_SIMD_CLONES
static void add_momentum(float *restrict g, float *restrict m, float momentum, bool nesterov,
                         size_t n)
{
    for (size_t i = 0; i < n; i++) {
        m[i] = m[i] + (g[i] + m[i] * (momentum - 1.0f));
        g[i] = nesterov ? g[i] + momentum * m[i] : m[i];
    }
}

static void run(const tr_optimizer *optimizer, const tr_tensor_step *step, int pass, size_t part)
{
    const muon *self = (const muon *)optimizer;
    const tr_newton_schulz matrix = matrix_of(self, step->tensor);
    const size_t longer = matrix.rows > matrix.columns ? matrix.rows : matrix.columns;
    const double size = self->rms_rate > 0.0 ? sqrt((double)longer) * self->rms_rate : 1.0;
    const tr_stripe at = tr_newton_schulz_stripe(&matrix, part);
    for (size_t i = 0; pass == 0 && i < at.count; i++) {
        const size_t first = at.first + i * at.stride;
        add_momentum(step->gradients + first, step->slots[0] + first, (float)self->momentum,
                     self->nesterov, at.length);
    }
    tr_newton_schulz_run(&matrix, step->gradients, (float)(optimizer->rate * size), step->room,
                         pass, part);
}

static const tr_tensor_ops tensor_ops = {
    .room = room, .passes = passes, .parts = parts, .run = run};

static const tr_tensor_ops *whole(const tr_optimizer *optimizer, const tr_weight_tensor *tensor)
{
    return is_matrix(optimizer, tensor) ? &tensor_ops : NULL;
}

const tr_optimizer_ops tr_muon_ops = {
    .name = "muon",
    .keras_class = "Muon",
    .keras_since = "3.15",
    .doc = "momentum made orthogonal for matrices, Adam for the rest",
    .bytes = sizeof(muon),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .slots = slots_of,
    .begin = begin,
    .update = tr_adam_update,
    .whole = whole,
    .weight_decay = weight_decay,
};
