/* groups.h -- the optimizers of a training: that of [optimizer], and those of [optimizer.NAME],
 * which have some layers in its stead. Keras's MultiOptimizer.
 */
#ifndef TR_GROUPS_H
#define TR_GROUPS_H

#include "optimizer.h"

enum { TR_MAX_GROUPS = 16 };

typedef struct tr_optimizers {
    int n;                                  /* 0: the configuration has a problem */
    tr_optimizer *items[1 + TR_MAX_GROUPS]; /* [optimizer], then the others in file order */
} tr_optimizers;

/* All of a configuration, whose layers must be named there. Mistakes go to config->problems. The
 * model does this once (tr_model_parse); others take tr_model_optimizers(). */
tr_status tr_optimizers_make(tr_optimizers *out, tr_config *config, tr_error *err);

/* That of [optimizer] alone. *out is NULL when the name is missing or unknown; tr_free(). */
tr_status tr_optimizer_make(tr_optimizer **out, tr_config *config, tr_error *err);

/* One's own, to begin steps with. */
tr_status tr_optimizers_copy(tr_optimizers *out, const tr_optimizers *optimizers, tr_error *err);
void tr_optimizers_release(tr_optimizers *optimizers);

/* Keras's ReduceLROnPlateau, once: each rate that is above min_lr is multiplied by the factor, and
 * is at least min_lr then; a float32, as Keras's is. False: none was above. */
bool tr_optimizers_reduce(tr_optimizers *optimizers, double factor, double min_lr);

/* The number of the optimizer that trains a layer. */
int tr_optimizers_of(const tr_optimizers *optimizers, const char *layer);

/* With use_ema, of any: the weights become their average when the training ends. */
bool tr_optimizers_average(const tr_optimizers *optimizers);

/* The k-th layer that a group names, into `name`; false: it names fewer. */
enum { TR_LAYER_NAME_MAX = 64 };
bool tr_optimizer_layer(const tr_optimizer *optimizer, int k, char name[TR_LAYER_NAME_MAX]);

#endif
