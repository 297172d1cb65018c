/* checkpoint.h -- the weights of a model as an HDF5 file in Keras's layout. */
#ifndef TRAINER_CHECKPOINT_H
#define TRAINER_CHECKPOINT_H

#include "trainer/memory.h"
#include "trainer/model.h"
#include "trainer/status.h"

/* The files themselves are written by a run (trainer/fit.h). */

/* Reads the weights of such a file, written here or by Keras, into the model:
 *
 *     .h5 whole models, and what save_weights() of Keras 2 wrote: layers with weights are matched
 *     in order, whatever their names;
 *     .weights.h5 of Keras 3 and 2.13, and .keras, which has one inside: by Keras's own keys, the
 *     class of a layer and its number among those of that class.
 *
 * Shapes must agree, as must the digest, where there is one. TR_ERR_DATA names file, dataset and
 * what was expected; the model is unchanged then. */
tr_status tr_checkpoint_read_weights(tr_model *model, const char *path, tr_error *err);

/* The class names, and how pictures were made, that the file carries (trainer/legend.h); of Keras's
 * files, which carry neither, none. TR_ERR_DATA: it is damaged. *out is empty before. */
tr_status tr_checkpoint_legend(tr_legend *out, const char *path, tr_error *err);
/* The same into the model. */
tr_status tr_checkpoint_read_legend(tr_model *model, const char *path, tr_error *err);

/* ---- a training that starts from the weights of another model ---- */

typedef struct tr_transfer_rules {
    bool by_name;       /* layers by their names, and not by their order, or the keys of the file */
    bool skip_mismatch; /* what does not fit stays as it was initialised; else it is an error */
} tr_transfer_rules;

typedef enum tr_transfer_kind {
    TR_TRANSFER_LOADED,
    TR_TRANSFER_MISFIT, /* other shapes, or another number of weights */
    TR_TRANSFER_ABSENT  /* the file has no such layer */
} tr_transfer_kind;

/* What became of a layer with weights. */
typedef struct tr_transferred_layer {
    int layer; /* its number in the model */
    tr_transfer_kind kind;
    char from[128]; /* the layer's name in the file */
    char why[256];  /* MISFIT: "kernel is float32 [64, 10] in the file, [64, 3] here" */
} tr_transferred_layer;

typedef struct tr_transfer {
    int n; /* layers of the model that have weights */
    int64_t n_unused;
    char unused[512]; /* layers of the file that were not taken: the first names */
    tr_transferred_layer layers[];
} tr_transfer;

/* As tr_checkpoint_read_weights(), layer by layer. Not a single layer loaded is an error, too.
 * Texts are those of the file, which may hold anything. Release with tr_transfer_free(). */
tr_status tr_checkpoint_transfer(tr_transfer **out, tr_model *model, const char *path,
                                 const tr_transfer_rules *rules, tr_error *err);
void tr_transfer_free(tr_transfer *transfer);

/* What a configuration from a file of Keras has in place of what such files do not tell. */
#define TR_NO_DATASET "(none: give the dataset with --set data.file=FILE)"
#define TR_NO_FOLDER "(none: give a folder with --set output.directory=FOLDER)"

/* What a file says of its model. */
typedef struct tr_checkpoint_info {
    char *config; /* INI text, which loads and fits the model together without problems */
    /* A line for each thing of Keras's file that no prediction depends on and that does not count
     * here (regularizers, an optimizer or metric that we do not have), or that is assumed (a loss
     * that the file does not have); "": none. */
    char *notes;
    /* Why the loss that a model of Keras was compiled with cannot be measured; the configuration
     * then has another. "": it can. */
    char *no_measure;
    /* What only Keras's files can say of the model, for an export (keras_carried.h); "": nothing.
     */
    char *carried;
    bool own_loss, own_optimizer; /* of the configuration: the file's, not assumed */
    bool of_trainer; /* the configuration is that of a run of ours, not made from Keras's */
} tr_checkpoint_info;

/* From the configuration of the run that wrote the file, or from Keras's model_config and
 * training_config in a whole-model .h5 or .keras. TR_ERR_DATA where the file has neither, as one of
 * weights alone, where it is damaged, or where the model has what we do not; the text names file,
 * layer and key. Release with tr_checkpoint_info_release(). */
tr_status tr_checkpoint_describe(tr_checkpoint_info *out, const char *path, tr_error *err);
void tr_checkpoint_info_release(tr_checkpoint_info *info);

/* Its config alone; free with tr_free(). */
tr_status tr_checkpoint_read_config(char **text, const char *path, tr_error *err);

#endif
