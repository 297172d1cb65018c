/* file_units.h -- the layers with weights in a file, whatever its layout: name, key, arrays.
 *
 * Keras lists a model among the layers as one layer, with the arrays of all of its layers. They are
 * taken apart again by what their names say: in "resnet/conv1/kernel:0" conv1 is the layer.
 */
#ifndef TR_FILE_UNITS_H
#define TR_FILE_UNITS_H

#include "checkpoint_file.h"

typedef struct tr_file_unit {
    char *name;       /* "" where the file does not tell: .weights.h5 before Keras 3.6 */
    char *inner_name; /* what the arrays' names say; "" likewise */
    const char *key;  /* of a keyed file; else NULL */
    size_t *arrays;   /* [n] in file->weights */
    size_t n;
    bool used; /* for the reader */
} tr_file_unit;

typedef struct tr_file_units {
    tr_file_unit *items; /* in the file's order */
    size_t n;
} tr_file_units;

/* In a child process; release also on failure. */
tr_status tr_file_units_list(tr_file_units *units, const tr_checkpoint_file *file, tr_error *err);
void tr_file_units_release(tr_file_units *units);

#endif
