/* predict_pictures.h -- what a network sees in picture files, however many there are. */
#ifndef TR_PREDICT_PICTURES_H
#define TR_PREDICT_PICTURES_H

#include "command.h"
#include "predictions.h"

typedef struct tr_picture_request {
    const char *const *paths; /* [n] pictures, and folders with pictures in them */
    size_t n;
    const char *fit; /* how they come to the network's size; NULL: as the checkpoint says */
    int top;         /* of tr_predictions */
} tr_picture_request;

/* Sentences on stdout, or rows of the file (NULL: none). A picture that cannot be read is said on
 * stderr and passed over; TR_ERR_DATA at the end then, the others being done. *n: how many were.
 * Where folders have the names of classes, that is what their pictures are, and how many were told
 * right is said, too. */
tr_status tr_predict_pictures(const tr_session *session, const tr_picture_request *request,
                              tr_prediction_file *file, int64_t *n, tr_error *err);

#endif
