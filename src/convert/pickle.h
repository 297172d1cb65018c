/* pickle.h -- what a Python pickle holds, as a tree of values; nothing of it is executed.
 *
 * A pickle is a program for a stack machine that may call any function of Python, which is why it
 * must not be loaded from strangers. Here its calls are values like others: the name of a function
 * and what it was to be given. Those that NumPy's arrays and Python 2's strings are made of have a
 * meaning to the functions below; others have none.
 *
 * Source: Lib/pickletools.py of CPython; protocols 2 to 5, without persistent ids and out-of-band
 * buffers.
 */
#ifndef TR_PICKLE_H
#define TR_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trainer/status.h"

typedef enum tr_pickle_kind {
    TR_PICKLE_NONE,
    TR_PICKLE_INT, /* True and False, too */
    TR_PICKLE_REAL,
    TR_PICKLE_BYTES, /* Python 2's strings, too */
    TR_PICKLE_TEXT,
    TR_PICKLE_LIST, /* tuples, too */
    TR_PICKLE_DICT, /* items: key, value, key, value, ... */
    TR_PICKLE_NAME, /* of a function or class, without its module */
    TR_PICKLE_CALL /* items: the function, its arguments, and the object's state where it has one */
} tr_pickle_kind;

typedef struct tr_pickle_value tr_pickle_value;
struct tr_pickle_value {
    tr_pickle_kind kind;
    int64_t number;
    const char *text; /* [n], not ended by 0; borrowed from the bytes that were read */
    size_t n;
    tr_pickle_value **items;
    size_t n_items;
};

typedef struct tr_pickle {
    tr_pickle_value *root;
    struct tr_pickle_block *blocks;
} tr_pickle;

/* Reads bytes[n], which must outlive the tree. A value may be its own part: do not walk through all
 * of it. TR_ERR_DATA, naming `path`, what was found and where. Release also after a failure. */
tr_status tr_pickle_read(tr_pickle *out, const void *bytes, size_t n, const char *path,
                         tr_error *err);
void tr_pickle_release(tr_pickle *pickle);

/* What a dictionary has for a key that is text or bytes; NULL: nothing, or it is none. */
const tr_pickle_value *tr_pickle_find(const tr_pickle_value *dict, const char *key);

/* An array of NumPy of unsigned bytes in two dimensions: element (i, j) at
 * bytes[i * step[0] + j * step[1]]. */
typedef struct tr_pickle_array {
    const char *bytes;
    int64_t dims[2], step[2];
} tr_pickle_array;

/* False: it is something else, or its sizes and bytes do not agree. */
bool tr_pickle_as_array(tr_pickle_array *out, const tr_pickle_value *value);

#endif
