/* confine.h -- a process that reads a file, kept from everything else.
 *
 * The reader of a hostile file may do what the file wants. So before it opens the file it gives up
 * what reading does not need: new rights, new programs and processes, the network, writing, signals
 * to others (a filter of system calls, libseccomp), and all files but the one (Landlock). Where the
 * kernel has neither, limits remain.
 */
#ifndef TR_CONFINE_H
#define TR_CONFINE_H

#include <stdbool.h>

/* Of this process, for ever; call with one thread. `path`: the only file that can still be opened,
 * or a folder: all that is in it; NULL: any, for reading. False: this kernel does not filter system
 * calls. */
bool tr_confine(const char *path);

#endif
