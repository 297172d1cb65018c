/* model_internal.h -- the model as engine/ sees it: programs, flat parameters, loss. */
#ifndef TR_MODEL_INTERNAL_H
#define TR_MODEL_INTERNAL_H

#include "callbacks.h"
#include "class_weight.h"
#include "groups.h"
#include "layer.h"
#include "loss.h"
#include "metric.h"
#include "trainer/legend.h"
#include "trainer/model.h"

/* A planned network and where to put images in and take predictions out. */
typedef struct tr_plan {
    tr_program *program;
    tr_value input;        /* [micro_batch, h, w, c] plain */
    tr_value output;       /* [micro_batch, classes] plain */
    tr_value diff_output;  /* likewise, written by the loss; TR_NO_VALUE without backward */
    bool wants_diff_input; /* set before planning: backward goes on to the images themselves */
    tr_value diff_input;   /* then their gradient, in the program's layout */
    tr_value *costs; /* [n_costs] of [micro_batch]: what activity regularizers charge each sample */
    int n_costs;
} tr_plan;

struct tr_model {
    const tr_config *config;
    tr_legend legend; /* of the data that it was trained on */
    tr_layer **layers;
    int n_layers;
    tr_loss loss;
    tr_metric_list metrics;
    tr_class_weight class_weight;
    tr_callbacks callbacks;
    tr_optimizers optimizers; /* as parsed, but for rates that were reduced */
    int64_t n_reductions;     /* of them, so far */
    int final_activation; /* tr_activation of the last layer, also where it is left to the loss */
    tr_dnn *dnn;
    tr_plan training, inference;
    bool for_training;  /* else only the inference program will run, and was checked */
    tr_extents extents; /* of the flat vector of parameters: trained | frozen | statistics */
    size_t n_floats;    /* its length */
    float *params;      /* [n_floats], packed */
    int64_t version;    /* counts changes of the parameters, so that replicas know to PREPARE */
};

/* graph.c: the sources of every layer; mistakes go to the configuration's problems. */
tr_status tr_graph_connect(tr_model *model, tr_error *err);

/* shapes.c: those of every layer, likewise. */
void tr_shapes_infer(tr_model *model);

/* flow.c: what a layer's place in the graph says about it. */
typedef struct tr_node {
    int result;               /* the layer whose result is this one's: itself, or the one before,
                               * which applies this one's activation */
    tr_activation activation; /* of that result */
    int n_readers;            /* times that it is read, by a regularizer among others */
    tr_penalty activity;      /* that of the regularizer */
    bool learns;              /* its gradient is needed: something is trained here or before */
    bool is_output;           /* no weights stand behind it */
} tr_node;
/* Of all layers [n_layers]; `images_too`: the gradient of the images is wanted. */
void tr_flow(const tr_model *model, bool images_too, tr_node *nodes);

/* plan.c; what is planned is freed by the other one, which leaves wants_diff_input. */
tr_status tr_plan_make(tr_plan *plan, tr_model *model, bool training, tr_error *err);
/* Forward alone, as far as the result of a layer, or of none: TR_IMAGES; it is the output. */
tr_status tr_plan_make_until(tr_plan *plan, tr_model *model, int layer, bool training,
                             tr_error *err);
void tr_plan_release(tr_plan *plan);

/* trust.c: both programs, of kernels that are right. TR_ERR_CONFIG, by name, where there are none.
 */
tr_status tr_model_plan(tr_model *model, tr_error *err);

/* params.c */
tr_status tr_params_init(tr_model *model, tr_error *err);
tr_param *tr_model_param(const tr_model *model, int i); /* of weight i */

#endif
