/* drawer.h -- the pictures of a run, drawn where they cannot hurt it.
 *
 * What cairo, fontconfig and freetype do when memory runs out, or a font is damaged, is not ours to
 * say: they crash, or spin. So a process of its own draws: forked before there are threads (a fork
 * later could not allocate), it waits for histories and forks once more for each, with limits on
 * time and memory. The bytes come back, and we put them in place.
 */
#ifndef TR_DRAWER_H
#define TR_DRAWER_H

#include "cairo_bytes.h"
#include "trainer/history.h"

typedef struct tr_drawer tr_drawer;

/* What draws, for tests: history.svg and history.png of a history; and its seconds of computing. */
typedef struct tr_drawing {
    tr_status (*draw)(const tr_history *history, tr_cairo_bytes pictures[2], tr_error *err);
    unsigned seconds;
} tr_drawing;

extern const tr_drawing tr_history_drawing;

/* Before the first thread. Signals that are blocked then stay so in the process that draws. */
tr_status tr_drawer_new(tr_drawer **out, const tr_drawing *drawing, tr_error *err);
void tr_drawer_free(tr_drawer *drawer); /* NULL is fine */

enum { TR_UNDRAWN_MAX = 256 };

/* Writes history.svg and history.png into the folder. TR_OK too where they cannot be drawn: then
 * `undrawn` says why, else it is "". TR_ERR_IO where one cannot be written. */
tr_status tr_drawer_write(tr_drawer *drawer, const tr_history *history, const char *folder,
                          char undrawn[TR_UNDRAWN_MAX], tr_error *err);

#endif
