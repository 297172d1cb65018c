/* h5_number.h -- the number types of a file, and their conversion to the three that we compute
 * with.
 *
 * Our own, because HDF5 1.10 trusts the bit offsets in a type's description and smashes its stack
 * when one is damaged. Known: integers of 8, 16, 32, 64 bits and IEEE floats of 16, 32, 64 bits, in
 * either byte order. Every other layout (long double, 24-bit integers) is no number here.
 */
#ifndef TR_H5_NUMBER_H
#define TR_H5_NUMBER_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum tr_number_kind {
    TR_NUMBER_NONE,
    TR_NUMBER_U8,
    TR_NUMBER_I8,
    TR_NUMBER_U16,
    TR_NUMBER_I16,
    TR_NUMBER_U32,
    TR_NUMBER_I32,
    TR_NUMBER_U64,
    TR_NUMBER_I64,
    TR_NUMBER_F16,
    TR_NUMBER_F32,
    TR_NUMBER_F64
} tr_number_kind;

typedef struct tr_number {
    tr_number_kind kind;
    size_t bytes;
    bool swapped; /* stored in the byte order that is not this machine's */
} tr_number;

/* The number type that an HDF5 type is, exactly; kind NONE when it is none of them. */
tr_number tr_number_of(hid_t type);

bool tr_number_is_float(tr_number number);

/* Turns src[n] of type `number` into dst[n] of type `target`: U8 (from U8 alone), F32 (from any),
 * I64 (from integers; beyond its range: its largest) or F64 (from any). Swaps src in place. */
void tr_number_convert(void *dst, tr_number_kind target, uint8_t *src, tr_number number, size_t n);

#endif
