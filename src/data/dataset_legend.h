/* dataset_legend.h -- what a dataset says of its numbers, and the numbers of labels that are words.
 *
 * Class names are those of the array that [data] class_names names. Without one, labels that are
 * strings are the names, and their order as Python sorts them numbers the classes; labels that are
 * of bool are False and True.
 */
#ifndef TR_DATASET_LEGEND_H
#define TR_DATASET_LEGEND_H

#include "h5_array.h"
#include "trainer/legend.h"

/* Where to look. */
typedef struct tr_legend_place {
    const char *path;
    tr_h5_policy policy;
    const char *class_names; /* may be missing under its default name, class_names; NULL: that */
    bool may_lack_names;     /* under any name */
    const char *labels[2];   /* arrays, the first that is there counts; NULL: none */
} tr_legend_place;

/* Visits the file in a child process. *out is empty before. */
tr_status tr_dataset_legend_read(tr_legend *out, const tr_legend_place *place, tr_error *err);

/* TR_ERR_DATA where a class has one name in `legend`, which is that of the file at `path`, and
 * another in `known`, that of `whose`. */
tr_status tr_legend_check_same(const tr_legend *legend, const char *path, const tr_legend *known,
                               const char *whose, tr_error *err);

/* The classes of an array of strings: into classes[n], or where that is NULL values[n], by their
 * names in the legend. In a child process. */
tr_status tr_legend_read_labels(const tr_legend *legend, int32_t *classes, float *values,
                                const tr_h5_file *file, const tr_h5_array *labels, tr_error *err);

#endif
