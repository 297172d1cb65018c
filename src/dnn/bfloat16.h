/* bfloat16.h -- the upper half of a float32, for native operations: read, and rounded to the
 * nearest, ties to even; a NaN stays one. For src/dnn only.
 */
#ifndef TR_BFLOAT16_H
#define TR_BFLOAT16_H

#include <stdint.h>
#include <string.h>

static inline float tr_from_bfloat16(uint16_t half)
{
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint16_t tr_to_bfloat16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t rounded = (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
    return value != value ? 0x7fc0u : rounded;
}

#endif
