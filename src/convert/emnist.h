/* emnist.h -- what sets EMNIST's IDX files apart from MNIST's: names of files, pictures that lie on
 * their side, letters that are counted from 1.
 *
 * Source: Cohen, Afshar, Tapson, van Schaik, "EMNIST: an extension of MNIST to handwritten
 * letters", 2017, and the mapping files beside the data.
 */
#ifndef TR_EMNIST_H
#define TR_EMNIST_H

#include "idx.h"

enum { TR_EMNIST_CLASSES = 62, TR_EMNIST_SET_MAX = 32 };

/* Which set the folder holds, by its file emnist-<set>-train-images-idx3-ubyte: "letters",
 * "balanced", ...; `wanted` NULL: the only one; "" where there is none. TR_ERR_CONFIG: there are
 * several, or not the wanted one. */
tr_status tr_emnist_find(char set[TR_EMNIST_SET_MAX], const char *folder, const char *wanted,
                         tr_error *err);

/* Columns become rows, in place: pictures [n, h, w] are then upright, [n, w, h]. */
tr_status tr_emnist_turn(tr_idx *images, tr_error *err);

/* The characters of the classes, "0123...", and the labels [n] as numbers from 0 on; NULL: a set
 * that we do not know, and nothing is changed. TR_ERR_DATA, naming `path`: a label that the set
 * does not have. */
tr_status tr_emnist_classes(const char **characters, tr_idx *labels, const char *set,
                            const char *path, tr_error *err);

#endif
