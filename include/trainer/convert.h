/* convert.h -- HDF5 datasets from other formats, and back.
 *
 * Foreign files are read in child processes; what is written is whole, or not there.
 */
#ifndef TRAINER_CONVERT_H
#define TRAINER_CONVERT_H

#include <stdbool.h>
#include <stdint.h>

#include "trainer/status.h"

/* Reads four IDX files (plain or .gz: train images, train labels, test images, test labels, found
 * by their usual names in `folder`) and writes x_train y_train x_test y_test (uint8, chunked,
 * deflate) to the HDF5 file `out_path`, with root attributes naming the source. Every magic number,
 * dimension and file size is checked. `emnist`: "letters", "balanced", ..., of EMNIST's files;
 * NULL: MNIST's names, or the only set of EMNIST that is there. Its pictures are turned upright,
 * the letters counted from 0, the classes named. The output is whole or not written. */
tr_status tr_convert_idx(const char *folder, const char *emnist, const char *out_path,
                         tr_error *err);

/* The way back: train-images-idx3-ubyte and the others into `folder`, which is made. Values must be
 * whole numbers from 0 to 255, of any type (TR_ERR_DATA names the first that is not), images of one
 * channel. The test set may be absent. All files are written, or none. */
tr_status tr_convert_to_idx(const char *path, const char *folder, tr_error *err);

/* Arrays of NumPy in a .npz file into an HDF5 file: x_train and y_train, and, where they are there,
 * x_test, y_test, x_validation and y_validation, as Keras's mnist.npz has them, or those that
 * `names` says (NULL among them: none), in that order: "NAME", "OTHER.npz:NAME" or "OTHER.npy". And
 * the way back. Types, shapes and bits stay; bool becomes uint8, float16 float32, and big-endian
 * numbers and Fortran order are turned. The output is whole or not written. */
enum { TR_CONVERT_NAMES = 6 };
tr_status tr_convert_npz(const char *path, const char *const names[TR_CONVERT_NAMES],
                         const char *out_path, tr_error *err);
tr_status tr_convert_to_npz(const char *path, const char *out_path, tr_error *err);

/* CIFAR-10 and CIFAR-100, binary or for Python, the folder or the .tar.gz that they come in, into
 * an HDF5 file with the names of the classes. Python's pickles are read as data, nothing in them is
 * executed. CIFAR-100 has 100 classes, or the 20 `coarse` ones. The output is whole or not written.
 */
tr_status tr_convert_cifar10(const char *path, const char *out_path, tr_error *err);
tr_status tr_convert_cifar100(const char *path, const char *out_path, bool coarse, tr_error *err);

/* Another HDF5 file as one whose images can be streamed ([data] memory): arrays of three or four
 * dimensions, and large tables of uint8 or float, become uint8 (bool, too) or float32 (other whole
 * numbers, too) in one piece; other arrays, class names among them, are copied as they are, and so
 * are the attributes of arrays and of the file, but not those of groups, nor empty groups. Needs
 * memory for the small arrays alone. The output is whole or not written. */
tr_status tr_convert_h5(const char *path, const char *out_path, tr_error *err);

/* Tables as text, a class and the numbers of a sample in each line (convert_csv.c): `train` and
 * `test` (NULL: none) into an HDF5 file. Samples get the shape (n_shape 0: vectors). TR_ERR_DATA
 * names the line. The output is whole or not written. */
enum { TR_CSV_SHAPE = 3 };
tr_status tr_convert_csv(const char *train, const char *test, const int64_t *shape, int n_shape,
                         const char *out_path, tr_error *err);

/* ---- pictures ---- */

/* How pictures become a dataset. */
typedef struct tr_pictures_options {
    int64_t h, w;      /* of each; 0 and 0: what the first one has, and all must have */
    const char *fit;   /* "crop" (NULL), "pad", "stretch": pictures of another shape */
    bool grey;         /* one channel; else three */
    double test_split; /* share of the pictures that becomes the test set; 0: none */
    uint32_t split_seed;
    bool stratify;  /* each class keeps its share */
    bool strict;    /* a picture that cannot be read, or a class without any, is an error */
    int n_children; /* processes that read; 0: one for each CPU */
    void (*progress)(void *user, int64_t done, int64_t n); /* after each picture; may be NULL */
    void *user;
} tr_pictures_options;

/* What became of them. */
typedef struct tr_pictures_report {
    int64_t h, w, c, n_classes;
    int64_t n_train, n_test, n_validation;
    int64_t n_broken, n_transparent;
    char *notes; /* for a human: what was skipped, and why; each line closed; tr_free() it */
} tr_pictures_report;

/* Pictures (JPEG, PNG, GIF, BMP, PGM, PPM) in `path`, a folder or an archive (.tar, packed or not,
 * .zip) with a folder for each class, or one in each of the folders train, test and validation, or,
 * in an archive, with WebDataset's KEY.jpg and KEY.cls, into an HDF5 file: x_train and y_train,
 * x_test and y_test, x_validation and y_validation as far as there are such, uint8, not packed, so
 * that trainings can stream them, and class_names. Each is turned as its camera says, what is
 * transparent is white, and resized as PIL does it. With test_split, samples are those of
 * scikit-learn's train_test_split() on the sorted paths, in its order; one that cannot be read is
 * left out of its part afterwards. Attributes say size, fit, channels, and the digest of all
 * pixels. Pictures are decoded in child processes; their number changes no byte. The output is
 * whole or not written. TR_ERR_DATA: no pictures, no classes; with `strict`, the first fault. */
tr_status tr_convert_pictures(const char *path, const char *out_path,
                              const tr_pictures_options *options, tr_pictures_report *report,
                              tr_error *err);

#endif
