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

/* Tables as text, a class and the numbers of a sample in each line (convert_csv.c): `train` and
 * `test` (NULL: none) into an HDF5 file. Samples get the shape (n_shape 0: vectors). TR_ERR_DATA
 * names the line. The output is whole or not written. */
enum { TR_CSV_SHAPE = 3 };
tr_status tr_convert_csv(const char *train, const char *test, const int64_t *shape, int n_shape,
                         const char *out_path, tr_error *err);

#endif
