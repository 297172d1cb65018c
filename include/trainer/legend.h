/* legend.h -- what the numbers of a dataset stand for: its classes by name, and how a picture
 * became one of its images. A dataset tells it; a model that was trained on it carries it along,
 * into its checkpoints and to whoever predicts with it.
 */
#ifndef TRAINER_LEGEND_H
#define TRAINER_LEGEND_H

#include <stdint.h>

#include "trainer/status.h"

/* Names are UTF-8 without control characters, whatever the file had (base/utf8.h). */
enum { TR_CLASS_NAME_MAX = 256, TR_CLASS_NAMES_MAX = 100000 };

/* How pictures were brought to one size; h = 0: the dataset does not say. */
typedef struct tr_picture_making {
    int64_t h, w, channels;
    char fit[16]; /* crop, pad, stretch */
} tr_picture_making;

/* Zero-initialise: nothing has a name. */
typedef struct tr_legend {
    int64_t n_classes;  /* 0: they have no names */
    char **class_names; /* [n_classes] */
    tr_picture_making pictures;
} tr_legend;

/* *out is written on success only. TR_ERR_INTERNAL: out of memory. */
tr_status tr_legend_copy(tr_legend *out, const tr_legend *legend, tr_error *err);
void tr_legend_release(tr_legend *legend);

/* The name of a class; NULL: it has none. */
const char *tr_legend_class(const tr_legend *legend, int64_t class);

/* The class of that name, the first where there are several; -1: none. */
int64_t tr_legend_find(const tr_legend *legend, const char *name);

#endif
