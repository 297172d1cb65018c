/* picture_names.h -- the pictures that arguments of a command name: files, and all in folders. */
#ifndef TR_PICTURE_NAMES_H
#define TR_PICTURE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "trainer/legend.h"
#include "trainer/status.h"

typedef struct tr_named_picture {
    char *path;
    int32_t label; /* the class whose name the outermost such folder below the argument has; -1 */
} tr_named_picture;

/* Pictures that are read together. */
typedef struct tr_picture_group {
    char *reach; /* the folder that they lie in, or the only one */
    int64_t n;
} tr_picture_group;

/* In the order of the arguments, those of a folder by their paths. Zero-initialise; release also
 * after a failure. */
typedef struct tr_picture_names {
    tr_named_picture *pictures;
    int64_t n, n_labels;
    tr_picture_group *groups;
    int64_t n_groups;
} tr_picture_names;

/* TR_ERR_DATA: a folder without pictures, or that cannot be read. A file is not looked at. */
tr_status tr_picture_names_add(tr_picture_names *names, const char *argument,
                               const tr_legend *legend, tr_error *err);
void tr_picture_names_release(tr_picture_names *names);

#endif
