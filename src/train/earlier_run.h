/* earlier_run.h -- what a run before this one left in the output folder.
 *
 * It is never overwritten unasked. Where it is asked for, the earlier run stays whole until the new
 * one's first last.h5 is in place; then all its other files go, so that nothing of two runs ever
 * lies together. A list in the folder, written before and removed after, says what still has to go
 * when a kill came in between. Only names that a run, or an export beside it, gives are touched.
 */
#ifndef TR_EARLIER_RUN_H
#define TR_EARLIER_RUN_H

#include "trainer/status.h"

/* The newest checkpoint in the folder: last.h5, or where there is none (a kill came just before
 * the first one, or somebody removed it) the last epoch_NNNN.h5, or best.h5. *path: a fresh
 * allocation, or NULL: there is none. */
tr_status tr_earlier_checkpoint(char **path, const char *folder, tr_error *err);

/* The other files of a run, "best.h5, epoch_0001.h5, ..., history.csv", in a fresh allocation; "":
 * none. */
tr_status tr_earlier_files(char **names, const char *folder, tr_error *err);

/* Writes the list of them. */
tr_status tr_earlier_condemn(const char *folder, tr_error *err);

/* Where there is a list: removes what it names if last.h5 is another one than when it was written,
 * and then the list itself. */
tr_status tr_earlier_settle(const char *folder, tr_error *err);

/* A run's event file for TensorBoard, in its folders train and validation (report/tensorboard.h).
 */
extern const char tr_events_file[];

#endif
