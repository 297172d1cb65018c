/* dataset_visit.h -- a visit to a file that has parts of a dataset, in a child process.
 *
 * Two visits to each file (base/child.h): the first looks at all arrays, so that a wrong shape
 * costs milliseconds and the room for the values can be made where both processes see it; the
 * second reads and checks the values.
 */
#ifndef TR_DATASET_VISIT_H
#define TR_DATASET_VISIT_H

#include "h5_place.h"
#include "images.h"
#include "trainer/legend.h"

enum { TR_TRAIN, TR_VALIDATION, TR_TEST, TR_N_PARTS };

/* Where a part comes from. */
typedef struct tr_part_names {
    const char *path, *x, *y; /* path NULL: no such part; y NULL: images alone */
    const char *w;            /* weights; NULL: none */
    bool optional;            /* may be missing, but only whole */
} tr_part_names;

/* What a first visit tells of a part. */
typedef struct tr_found_part {
    tr_samples samples; /* without arrays; n 0: there is no such part */
    tr_target form;     /* 0: images alone */
    tr_h5_place place;  /* of the images in the file */
    int64_t offset;     /* in one piece: of the first */
} tr_found_part;

typedef struct tr_dataset_visit {
    tr_part_names names[TR_N_PARTS];
    tr_input_shape shape;
    tr_h5_policy policy;
    unsigned targets;        /* tr_target bits that are wanted */
    tr_data_memory memory;   /* wanted for the images */
    uint64_t memory_left;    /* bytes */
    const tr_legend *legend; /* the classes of labels that are strings */
    int part;                /* all parts from here on that lie in the same file are visited */
    tr_found_part *told;     /* [TR_N_PARTS] of tr_shared_alloc(): what the child writes */
    tr_found_part found[TR_N_PARTS]; /* what of it was believed; of parts that no first visit
                                      * reached: nothing */
    const tr_samples *samples; /* [TR_N_PARTS] whose arrays the second fills, images only where they
                                * are not streamed; NULL: the first */
} tr_dataset_visit;

/* Visits the file of visit->part. What a first visit told of the parts in it is in visit->found,
 * out of the reach of any child, and has been found plausible; whether images lie where they are
 * said to, whoever opens the file sees. */
tr_status tr_dataset_visit_file(tr_dataset_visit *visit, tr_error *err);

/* Whether part i lies in that file. */
bool tr_dataset_visit_reaches(const tr_dataset_visit *visit, int i);

#endif
