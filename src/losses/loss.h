/* loss.h -- what a loss is: a value per sample, and its gradient with respect to the predictions.
 *
 * One loss = one file closed by one tr_loss_ops, and one row in loss_table.c. It works on one
 * micro-batch and is called by every thread at once. Where a loss and the network's final
 * activation belong together (softmax and cross-entropy), the loss works on the activation's input:
 * stable for any input, nothing is clipped, and cheaper. Keras on TensorFlow does the same.
 */
#ifndef TR_LOSS_H
#define TR_LOSS_H

#include "section.h"
#include "target.h"
#include "trainer/config.h"

typedef struct tr_loss tr_loss;

typedef struct tr_loss_task {
    const float *pred;  /* [n_padded, width]: probabilities, logits (tr_loss.logits), or values */
    float *diff;        /* [n_padded, width]: d(sum of losses * weight)/d pred; NULL: not wanted */
    tr_targets targets; /* of n samples */
    const float *weights; /* [n] how much each counts, or NULL: all 1 */
    int64_t n;            /* real samples */
    int64_t n_padded;     /* rows n.. are padding: diff becomes 0, nothing is counted */
    int64_t width;
    float weight; /* 1 / batch size, so that gradients of micro-batches add up to the mean's */
} tr_loss_task;

enum { TR_MAX_ALIASES = 2 };

typedef struct tr_loss_ops {
    const char *name;                    /* Keras's */
    const char *aliases[TR_MAX_ALIASES]; /* Keras's other ones, the short one first; or NULL */
    const char *doc;
    const tr_key *keys; /* of section [loss]; offsets into tr_loss */
    size_t n_keys;
    unsigned targets; /* tr_target bits; with both, one number per sample is its class */
    /* Class of Keras's metric, where it is not the name in capitals; "": Keras has none. */
    const char *metric_class;
    bool metric_is_negative; /* Keras's metric of that name is -L: larger is better */

    bool wants_probabilities;     /* predictions are probabilities */
    bool wants_several;           /* outputs are classes: at least two */
    bool targets_in_0_1;          /* targets are probabilities, too */
    bool targets_add_up;          /* and those of a sample add up to 1 */
    bool targets_are_signs;       /* targets are -1 or 1, or else 0 or 1 */
    const char *final_activation; /* that the loss takes over, or NULL */
    /* out[width] = that activation of z[width]. */
    void (*activate)(const float *z, float *out, int64_t width);

    /* Loss of sample i; row i of diff (NULL: not wanted) becomes its gradient times task->weight.
     */
    double (*sample)(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff);
} tr_loss_ops;

/* A loss with its settings. A value. */
struct tr_loss {
    const tr_loss_ops *ops;
    bool from_logits, apply_class_balancing;
    double label_smoothing, delta, alpha, gamma;
    bool takes_over; /* the network leaves its final activation to the loss */
    bool logits;     /* from_logits or takes_over: predictions are logits */
};

/* Sum of the samples' losses, each times its weight, in double, so that their order cannot show in
 * a printed digit. */
double tr_loss_run(const tr_loss *loss, const tr_loss_task *task);

/* What the network predicts, where its final activation was left to the loss: out[n, width] from
 * pred[n, width]. Otherwise a copy. */
void tr_loss_predictions(const tr_loss *loss, const float *pred, float *out, int64_t n,
                         int64_t width);

extern const tr_loss_ops *const tr_loss_table[];   /* ends in NULL */
const tr_loss_ops *tr_loss_find(const char *name); /* by name or alias; NULL: unknown */

enum { TR_MAX_LOSSES = 32 };
void tr_loss_names(const char *names[TR_MAX_LOSSES]); /* NULL-terminated */

/* That loss with every setting at its default. */
tr_loss tr_loss_default(const tr_loss_ops *ops);

/* [compile] loss and [loss]. Mistakes go to config->problems; loss->ops is NULL when the name is
 * missing or unknown. Fails only when memory is out. */
tr_status tr_loss_parse(tr_loss *loss, const tr_config *config, tr_error *err);

/* Whether that loss goes with a network whose last layer gives `width` numbers through
 * `activation`, by its name; whether it takes that activation over. Mistakes as above. */
void tr_loss_fit_network(tr_loss *loss, const tr_config *config, const char *activation,
                         int64_t width);

/* ---- shared by loss files ---- */

extern const double tr_loss_epsilon; /* 1e-7: keras.backend.epsilon() */

/* x within [epsilon, 1 - epsilon]; written so that NaN stays NaN and is noticed. */
static inline double tr_loss_clip(double x)
{
    return x < tr_loss_epsilon         ? tr_loss_epsilon
           : x > 1.0 - tr_loss_epsilon ? 1.0 - tr_loss_epsilon
                                       : x;
}

/* False for NaN, so that the gradient becomes NaN as the loss does, and not a harmless 0. */
static inline bool tr_loss_clipped(double x)
{
    return x < tr_loss_epsilon || x > 1.0 - tr_loss_epsilon;
}

/* 1, -1, 0 or NaN: of |x|, the derivative. */
static inline double tr_loss_sign(double x)
{
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x;
}

/* loss.c: the body of sample() where a loss is the mean over outputs of at(prediction p, target t),
 * which also says its derivative with respect to p. */
double tr_loss_mean(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff,
                    double (*at)(const tr_loss *loss, double p, double t, double *derivative));

/* hinge.c: the target of an output as -1 or 1. As in Keras, 0 is -1 where all are 0 or 1: those of
 * the sample here, of the batch there, which is the same where a dataset has one of the two. */
double tr_loss_signed_target(const tr_loss_task *task, int64_t i, int64_t j);

/* softmax.c: out = exp(z - max) / sum. */
void tr_softmax_row(const float *z, float *out, int64_t width);

/* sigmoid.c: 1 / (1 + exp(-z)), without overflow on either side; and of a row. */
double tr_sigmoid(double z);
void tr_sigmoid_row(const float *z, float *out, int64_t width);

#define TR_LOSS_KEY_ALPHA(what)                                                                    \
    {                                                                                              \
        .name = "alpha", .kind = TR_KEY_REAL, .offset = offsetof(tr_loss, alpha),                  \
        .fallback = "0.25", .max = 1, .doc = what                                                  \
    }

#define TR_LOSS_KEY_GAMMA                                                                          \
    {                                                                                              \
        .name = "gamma", .kind = TR_KEY_REAL, .offset = offsetof(tr_loss, gamma), .fallback = "2", \
        .max = 1e6, .doc = "how much less right answers count; 0: not"                             \
    }

#define TR_LOSS_KEY_FROM_LOGITS                                                                    \
    {                                                                                              \
        .name = "from_logits", .kind = TR_KEY_BOOL, .offset = offsetof(tr_loss, from_logits),      \
        .fallback = "false",                                                                       \
        .doc = "the network's outputs are logits; its last activation is linear"                   \
    }

#define TR_LOSS_KEY_LABEL_SMOOTHING(what)                                                          \
    {                                                                                              \
        .name = "label_smoothing", .kind = TR_KEY_REAL,                                            \
        .offset = offsetof(tr_loss, label_smoothing), .fallback = "0", .max = 1, .doc = what       \
    }

#endif
