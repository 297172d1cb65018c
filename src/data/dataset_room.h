/* dataset_room.h -- where the samples of a dataset are: memory that the process which reads them
 * shares, or, of images, the file where they lie.
 */
#ifndef TR_DATASET_ROOM_H
#define TR_DATASET_ROOM_H

#include "dataset_visit.h"

size_t tr_dataset_image_bytes(const tr_samples *samples);

/* After the first visit to all files. */
bool tr_dataset_room_is_resident(const tr_dataset_visit *visit, int part);

/* Makes room for what was found of the part, of that size, or opens the images' file. Release also
 * after a failure. */
tr_status tr_dataset_room_make(tr_samples *samples, const tr_dataset_visit *visit, int part,
                               tr_error *err);
void tr_dataset_room_release(tr_samples *samples);

#endif
