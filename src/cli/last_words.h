/* last_words.h -- a crash ends with a sentence and exit code 1.
 *
 * Libraries crash where memory is out: oneDNN throws an exception through its C interface, or reads
 * at NULL; HDF5 calls exit(-1). Nothing can be gone on with then, but nothing is lost either, since
 * every file is replaced as a whole; so the user is told that, and a script that waits sees an exit
 * code of ours. Not with sanitizers, which tell more.
 */
#ifndef TR_LAST_WORDS_H
#define TR_LAST_WORDS_H

void tr_last_words(void); /* once, before all else */

#endif
