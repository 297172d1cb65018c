/* arrays.h -- the arrays of a dataset as they are, on their way from one format to another.
 *
 * Unlike dataset.h nothing is scaled, split or checked against a network: what goes in comes out,
 * type and shape included. Foreign files are read in a child process (base/child.h).
 */
#ifndef TR_ARRAYS_H
#define TR_ARRAYS_H

#include "h5_array.h"
#include "trainer/status.h"

typedef enum tr_number {
    TR_NUMBER_U8,
    TR_NUMBER_I32,
    TR_NUMBER_I64,
    TR_NUMBER_F32,
    TR_NUMBER_F64,
    TR_NUMBER_I8,
    TR_NUMBER_U16,
    TR_NUMBER_I16,
    TR_NUMBER_U32,
    TR_NUMBER_U64,
    TR_NUMBERS
} tr_number;

typedef struct tr_array {
    tr_number type;
    int rank;
    int64_t dims[TR_H5_RANK];
    int64_t n; /* elements; 0: the array is absent */
    void *values;
} tr_array;

enum {
    TR_X_TRAIN,
    TR_Y_TRAIN,
    TR_X_TEST,
    TR_Y_TEST,
    TR_X_VALIDATION,
    TR_Y_VALIDATION,
    TR_N_ARRAYS
};
extern const char *const tr_array_names[TR_N_ARRAYS]; /* "x_train", ... */

typedef struct tr_arrays {
    tr_array items[TR_N_ARRAYS];
} tr_arrays;

void tr_arrays_release(tr_arrays *arrays); /* of a reader below; a zeroed one is fine */

size_t tr_number_bytes(tr_number type);
const char *tr_number_name(tr_number type); /* "uint8" */
hid_t tr_number_stored(tr_number type);     /* HDF5's type in a file, and in memory */
hid_t tr_number_native(tr_number type);

/* ---- HDF5 ---- */

/* x_train and y_train, and those of test and validation where the file has both. Errors are
 * TR_ERR_DATA. `as_is`: a type that is none of tr_number is refused; else everything but uint8
 * comes as float64.
 */
tr_status tr_arrays_read_h5(tr_arrays *out, const char *path, bool as_is, tr_error *err);

/* Chunked, packed, without time stamps: the same arrays give the same bytes. `sources`: a text at
 * each dataset, or NULL. */
typedef struct tr_arrays_origin {
    const char *source, *creator; /* of the file */
    const char *sources[TR_N_ARRAYS];
    const char *const *class_names; /* [n_class_names], becomes an array of that name; 0: none */
    int n_class_names;
} tr_arrays_origin;
tr_status tr_arrays_write_h5(const tr_arrays *arrays, const tr_arrays_origin *origin,
                             const char *path, tr_error *err);

/* ---- NumPy's .npz, as Keras's mnist.npz ---- */

enum { TR_NPZ_NAME_MAX = 128 }; /* of a member, with its end and its zero */

/* `names`: of the members, in the order of tr_array_names; NULL among them: not wanted. names NULL:
 * tr_array_names, as far as they are there. A file that is one array itself (.npy) is taken for the
 * one that is wanted; its name is "". Arrays in Fortran order and of another byte order are turned,
 * bool becomes uint8 and float16 float32. */
tr_status tr_arrays_read_npz(tr_arrays *out, const char *path, const char *const *names,
                             tr_error *err);
tr_status tr_arrays_write_npz(const tr_arrays *arrays, const char *path, tr_error *err);

/* ---- shared by the readers ---- */

/* What a reader is called with, in the child: first to look (fill in all but the values), then to
 * read. */
typedef struct tr_arrays_visit {
    const char *path;
    const char *const *names; /* [TR_N_ARRAYS], or NULL: tr_array_names, as far as they are there */
    bool as_is, reading;
    tr_arrays arrays;
} tr_arrays_visit;

/* Calls visit(tr_arrays_visit *, err) twice in a child, with copies of *what. */
tr_status tr_arrays_fetch(tr_arrays *out, const tr_arrays_visit *what,
                          tr_status (*visit)(void *user, tr_error *err), tr_error *err);

/* Both of the training set must be there, and both or none of the others. */
tr_status tr_arrays_check_found(const bool found[TR_N_ARRAYS], const char *path, tr_error *err);

#endif
