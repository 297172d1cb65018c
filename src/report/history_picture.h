/* history_picture.h -- the curves of a training as the bytes of a file; see trainer/history.h for
 * the files themselves. */
#ifndef TR_HISTORY_PICTURE_H
#define TR_HISTORY_PICTURE_H

#include "cairo_bytes.h"
#include "trainer/history.h"

/* Into *out, which is empty before and whose bytes are the caller's after, also on failure. */
tr_status tr_history_draw_svg(const tr_history *history, tr_cairo_bytes *out, tr_error *err);
tr_status tr_history_draw_png(const tr_history *history, tr_cairo_bytes *out, tr_error *err);

#endif
