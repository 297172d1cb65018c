/* h5_legend.h -- the legend (trainer/legend.h) in an HDF5 file: in the root group of a dataset, in
 * the group /trainer of a checkpoint.
 *
 *     class_names      strings [n], UTF-8 of one length, padded with NULs
 *     picture_size     "64x48", height x width          these three are attributes of the group
 *     picture_fit      "crop", "pad" or "stretch"
 *     picture_channels 1 or 3
 */
#ifndef TR_H5_LEGEND_H
#define TR_H5_LEGEND_H

#include "h5_array.h"
#include "trainer/legend.h"

/* A legend on its way from the child that read it; of tr_shared_alloc(), of which only the pages
 * that are used exist. */
typedef struct tr_told_legend {
    int64_t n_classes;
    tr_picture_making pictures;
    char class_names[TR_CLASS_NAMES_MAX][TR_CLASS_NAME_MAX];
} tr_told_legend;

/* The class names in the array `name` (strings, or whole numbers, which are then the names);
 * whether the pictures' attributes are there. In a child process. */
tr_status tr_h5_legend_read_names(tr_told_legend *told, const tr_h5_file *file, const char *name,
                                  tr_error *err);
tr_status tr_h5_legend_read_pictures(tr_told_legend *told, const tr_h5_file *file,
                                     const char *group, tr_error *err);

/* What was told, checked and cleaned; *out is empty before. */
tr_status tr_legend_believe(tr_legend *out, const tr_told_legend *told, tr_error *err);

/* Writes what there is of it. */
tr_status tr_h5_legend_write(hid_t group, const tr_legend *legend, tr_error *err);

#endif
