/* tensorboard.h -- the history of a run as TensorBoard's event files. */
#ifndef TR_TENSORBOARD_H
#define TR_TENSORBOARD_H

#include "trainer/history.h"

/* FOLDER/train and FOLDER/validation, as Keras's callback: epoch_loss, epoch_accuracy, ..., and in
 * train epoch_learning_rate; steps are epochs from 0 on. Files grow by the epochs that are not in
 * them yet; what is of another history, or half written, is replaced. */
tr_status tr_tensorboard_write(const tr_history *history, const char *folder, tr_error *err);

#endif
