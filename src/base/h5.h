/* h5.h -- the few things every user of HDF5 here needs. HDF5 is called from one thread at a time.
 */
#ifndef TR_H5_H
#define TR_H5_H

#include <hdf5.h>
#include <stddef.h>

/* Stops HDF5 from printing its error stack to stderr (the library never prints). Call before any
 * other HDF5 call; cheap, may be repeated. */
void tr_h5_quiet(void);

/* Closes a file, dataset, space, type, attribute, group or property list. A negative id is fine. */
void tr_h5_close(hid_t id);

/* What functions that give a fault as text give when memory is out: no fault of the file. */
extern const char tr_h5_no_memory[];

/* The innermost message of HDF5's current error stack ("unable to open file"), and its errno text
 * where there is one; "unknown HDF5 error" when the stack is empty. */
void tr_h5_cause(char *text, size_t n);

#endif
