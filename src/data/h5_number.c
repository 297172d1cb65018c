/* h5_number.c -- number types of HDF5 files and their conversion; see h5_number.h.
 *
 * Conversions are C's casts: to the nearest float, ties to even, as NumPy's astype does.
 */
#include "h5_number.h"

#include <math.h>
#include <string.h>

#include "h5.h"

/* IEEE half precision, which HDF5 1.10 has no name for: 1 sign, 5 exponent, 10 fraction bits. */
static hid_t make_half(bool big_endian)
{
    const hid_t type = H5Tcopy(big_endian ? H5T_IEEE_F32BE : H5T_IEEE_F32LE);
    H5Tset_fields(type, 15, 10, 5, 0, 10);
    H5Tset_size(type, 2);
    H5Tset_ebias(type, 15);
    return type;
}

/* Is `type` one of the pair? */
static bool is_one(hid_t type, hid_t little, hid_t big, bool *swapped)
{
    const bool machine_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    if (H5Tequal(type, little) > 0) {
        *swapped = machine_is_big;
        return true;
    }
    *swapped = !machine_is_big;
    return H5Tequal(type, big) > 0;
}

tr_number tr_number_of(hid_t type)
{
    const struct {
        tr_number_kind kind;
        size_t bytes;
        hid_t little, big;
    } known[] = {
        {TR_NUMBER_U8, 1, H5T_STD_U8LE, H5T_STD_U8BE},
        {TR_NUMBER_I8, 1, H5T_STD_I8LE, H5T_STD_I8BE},
        {TR_NUMBER_U16, 2, H5T_STD_U16LE, H5T_STD_U16BE},
        {TR_NUMBER_I16, 2, H5T_STD_I16LE, H5T_STD_I16BE},
        {TR_NUMBER_U32, 4, H5T_STD_U32LE, H5T_STD_U32BE},
        {TR_NUMBER_I32, 4, H5T_STD_I32LE, H5T_STD_I32BE},
        {TR_NUMBER_U64, 8, H5T_STD_U64LE, H5T_STD_U64BE},
        {TR_NUMBER_I64, 8, H5T_STD_I64LE, H5T_STD_I64BE},
        {TR_NUMBER_F32, 4, H5T_IEEE_F32LE, H5T_IEEE_F32BE},
        {TR_NUMBER_F64, 8, H5T_IEEE_F64LE, H5T_IEEE_F64BE},
    };
    bool swapped = false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (is_one(type, known[i].little, known[i].big, &swapped))
            return (tr_number){known[i].kind, known[i].bytes, swapped};
    const hid_t little = make_half(false), big = make_half(true);
    const bool half = is_one(type, little, big, &swapped);
    tr_h5_close(little);
    tr_h5_close(big);
    return half ? (tr_number){TR_NUMBER_F16, 2, swapped} : (tr_number){TR_NUMBER_NONE, 0, false};
}

bool tr_number_is_float(tr_number number)
{
    return number.kind >= TR_NUMBER_F16;
}

static void swap_bytes(uint8_t *src, size_t item_bytes, size_t n)
{
    for (uint8_t *item = src; item < src + n * item_bytes; item += item_bytes)
        for (size_t i = 0; i < item_bytes / 2; i++) {
            const uint8_t moved = item[i];
            item[i] = item[item_bytes - 1 - i];
            item[item_bytes - 1 - i] = moved;
        }
}

static float half_to_float(uint16_t half)
{
    const int exponent = half >> 10 & 31, fraction = half & 1023;
    const float size = exponent == 31  ? (fraction == 0 ? INFINITY : NAN)
                       : exponent == 0 ? ldexpf((float)fraction, -24)
                                       : ldexpf((float)(fraction + 1024), exponent - 25);
    return half >> 15 ? -size : size;
}

static int64_t clamp(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* case kind: dst[i] = (to)via(src[i]) for i < n; through memcpy, since src need not be aligned. */
#define CASE(kind, to, from, via)                                                                  \
    case kind:                                                                                     \
        for (size_t i = 0; i < n; i++) {                                                           \
            from value_;                                                                           \
            memcpy(&value_, src + i * sizeof value_, sizeof value_);                               \
            dst[i] = (to)via(value_);                                                              \
        }                                                                                          \
        break

#define CASES_UP_TO_64_BITS_SIGNED(to)                                                             \
    CASE(TR_NUMBER_U8, to, uint8_t, );                                                             \
    CASE(TR_NUMBER_I8, to, int8_t, );                                                              \
    CASE(TR_NUMBER_U16, to, uint16_t, );                                                           \
    CASE(TR_NUMBER_I16, to, int16_t, );                                                            \
    CASE(TR_NUMBER_U32, to, uint32_t, );                                                           \
    CASE(TR_NUMBER_I32, to, int32_t, );                                                            \
    CASE(TR_NUMBER_I64, to, int64_t, )

static void to_f32(float *dst, const uint8_t *src, tr_number_kind kind, size_t n)
{
    switch (kind) {
        CASES_UP_TO_64_BITS_SIGNED(float);
        CASE(TR_NUMBER_U64, float, uint64_t, );
        CASE(TR_NUMBER_F16, float, uint16_t, half_to_float);
        CASE(TR_NUMBER_F32, float, float, );
        CASE(TR_NUMBER_F64, float, double, );
    default:
        break;
    }
}

static void to_f64(double *dst, const uint8_t *src, tr_number_kind kind, size_t n)
{
    switch (kind) {
        CASES_UP_TO_64_BITS_SIGNED(double);
        CASE(TR_NUMBER_U64, double, uint64_t, );
        CASE(TR_NUMBER_F16, double, uint16_t, half_to_float);
        CASE(TR_NUMBER_F32, double, float, );
        CASE(TR_NUMBER_F64, double, double, );
    default:
        break;
    }
}

static void to_i64(int64_t *dst, const uint8_t *src, tr_number_kind kind, size_t n)
{
    switch (kind) {
        CASES_UP_TO_64_BITS_SIGNED(int64_t);
        CASE(TR_NUMBER_U64, int64_t, uint64_t, clamp);
    default:
        break;
    }
}

void tr_number_convert(void *dst, tr_number_kind target, uint8_t *src, tr_number number, size_t n)
{
    if (number.swapped && number.bytes > 1)
        swap_bytes(src, number.bytes, n);
    if (target == number.kind)
        memcpy(dst, src, n * number.bytes);
    else if (target == TR_NUMBER_F32)
        to_f32(dst, src, number.kind, n);
    else if (target == TR_NUMBER_F64)
        to_f64(dst, src, number.kind, n);
    else if (target == TR_NUMBER_I64)
        to_i64(dst, src, number.kind, n);
}
