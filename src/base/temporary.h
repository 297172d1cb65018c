/* temporary.h -- the file that becomes another one, while it is written.
 *
 * ".NAME.XXXXXX.tmp" beside NAME, six characters by chance: made new, never opened through a link,
 * so that two writers of one NAME cannot meet. Its writer holds a lock on it; where the lock is
 * free, the writer was killed, and the next one of that NAME removes what it left.
 */
#ifndef TR_TEMPORARY_H
#define TR_TEMPORARY_H

#include <stdbool.h>

enum { TR_TEMPORARY_MAX = 256 };

/* A new file for `name` in the open folder, to write and read, locked; its own name goes to
 * `temporary`. -1: errno says why. */
int tr_temporary_open(int folder, const char *name, char temporary[TR_TEMPORARY_MAX]);

/* Is `entry` of a folder a temporary file of `name`? */
bool tr_temporary_is_of(const char *entry, const char *name);

/* Removes those of `name` whose writers are dead, as far as that is possible. */
void tr_temporary_remove_dead(int folder, const char *name);

#endif
