/* checkpoint_read.h -- what a file holds, as a snapshot of the model that it is of.
 *
 * Weights as Keras reads them: layers that have weights are matched in order, or by their keys,
 * where the file has keys; names are not compared, shapes must agree. HDF5 turns float16 and
 * float64 into float32. All is read in one child process (base/child.h) and checked before the
 * model is touched: the outline of the file against the model, the digests against what was read.
 */
#ifndef TR_CHECKPOINT_READ_H
#define TR_CHECKPOINT_READ_H

#include "snapshot.h"

typedef enum tr_checkpoint_part {
    TR_READ_WEIGHTS,
    /* The state of the training too, where the file has that of the optimizer which the model's
     * configuration names: files of Keras have none. */
    TR_READ_STATE_IF_IT_FITS,
    TR_READ_STATE /* TR_ERR_DATA where there is none */
} tr_checkpoint_part;

/* `model` is built, and gets the weights: with the state those that the training goes on from. On
 * failure it is unchanged; TR_ERR_DATA names the file, the array and what was expected. */
tr_status tr_checkpoint_read(tr_snapshot **out, tr_model *model, const char *path,
                             tr_checkpoint_part part, tr_error *err);

#endif
