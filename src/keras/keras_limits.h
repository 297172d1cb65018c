/* keras_limits.h -- what of a model some Keras does not have, or computes otherwise.
 *
 * Told when a file is written: which Keras it is for should not be found out by loading it.
 */
#ifndef TR_KERAS_LIMITS_H
#define TR_KERAS_LIMITS_H

#include "trainer/model.h"
#include "trainer/status.h"

/* False: no Keras has an optimizer that computes as this one, and no file speaks of it. */
bool tr_keras_tells_optimizer(const tr_config *config);

/* Or it is of a class that Keras has only by itself: no Keras finds it in a whole-model HDF5 file.
 */
bool tr_keras_h5_lacks_optimizer(const tr_config *config);

/* What Keras 2 does not have of the optimizer and its settings ("Lamb"), or NULL; `old`: the
 * optimizers that Keras 2 takes where a file does not say that it means its new ones. */
const char *tr_keras2_lacks(const tr_model *model, bool old);

/* TR_ERR_CONFIG, naming the layer: Keras 2 would predict something else. */
tr_status tr_keras2_check(const tr_model *model, tr_error *err);

/* What a user of that file should know, one a line; "": nothing. Fresh text, released with
 * tr_free(); NULL: out of memory. `state`: the optimizer's is in it. */
char *tr_keras_h5_limits(const tr_model *model);
char *tr_keras3_limits(const tr_model *model, bool state);
char *tr_keras2_limits(const tr_model *model, bool state);

#endif
