/* data_notes.h -- what of the data is allowed and probably not meant: pixels of a strange size,
 * classes without a sample. */
#ifndef TR_DATA_NOTES_H
#define TR_DATA_NOTES_H

#include <stdio.h>

#include "trainer/dataset.h"
#include "trainer/model.h"

/* The values of the pixels, as stored and as the network sees them. */
typedef struct tr_pixel_range {
    double low, high;
    double seen_low, seen_high;
} tr_pixel_range;

tr_status tr_pixel_range_of(tr_pixel_range *out, const tr_config *config, const tr_samples *samples,
                            tr_error *err);

/* A line each, "trainer: warning: ...". The model has the legend of the data. */
void tr_warn_of_pixels(FILE *out, const tr_config *config, const tr_pixel_range *range);
/* Of layers whose value_range is another than that of the pixels. */
void tr_warn_of_value_ranges(FILE *out, const tr_config *config, const tr_pixel_range *range);
void tr_warn_of_classes(FILE *out, const tr_config *config, const tr_model *model,
                        const tr_samples *samples);

#endif
