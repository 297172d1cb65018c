/* evaluation.h -- what there is to say of predictions besides loss and metrics, added up batch by
 * batch: see tr_evaluation in trainer/fit.h. */
#ifndef TR_EVALUATION_H
#define TR_EVALUATION_H

#include "trainer/fit.h"

tr_status tr_evaluation_begin(tr_evaluation *out, const tr_model *model, tr_error *err);

/* Of predictions [count, outputs] of the samples from `first` on. */
void tr_evaluation_note(tr_evaluation *evaluation, const tr_model *model, const tr_samples *samples,
                        int64_t first, int64_t count, const float *predictions);

/* Of one sample whose class is known, where the model predicts classes. */
void tr_evaluation_note_class(tr_evaluation *evaluation, const tr_model *model, int64_t sample,
                              int64_t class, const float *predictions);

#endif
