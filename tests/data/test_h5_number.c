/* test_h5_number.c -- which HDF5 types are numbers, and that their conversion is C's and NumPy's.
 */
#include "data_fixture.h"

#include <math.h>

#include "h5_number.h"

static hid_t half_type(int big_endian)
{
    const hid_t type = H5Tcopy(big_endian ? H5T_IEEE_F32BE : H5T_IEEE_F32LE);
    H5Tset_fields(type, 15, 10, 5, 0, 10);
    H5Tset_size(type, 2);
    H5Tset_ebias(type, 15);
    return type;
}

Test(h5_number, knows_the_types)
{
    tr_h5_quiet();
    const struct {
        hid_t type;
        tr_number_kind kind;
        size_t bytes;
    } cases[] = {{H5T_STD_U8LE, TR_NUMBER_U8, 1},    {H5T_STD_I8BE, TR_NUMBER_I8, 1},
                 {H5T_STD_U16LE, TR_NUMBER_U16, 2},  {H5T_STD_I16BE, TR_NUMBER_I16, 2},
                 {H5T_STD_U32BE, TR_NUMBER_U32, 4},  {H5T_STD_I32LE, TR_NUMBER_I32, 4},
                 {H5T_STD_U64LE, TR_NUMBER_U64, 8},  {H5T_STD_I64BE, TR_NUMBER_I64, 8},
                 {half_type(0), TR_NUMBER_F16, 2},   {half_type(1), TR_NUMBER_F16, 2},
                 {H5T_IEEE_F32BE, TR_NUMBER_F32, 4}, {H5T_IEEE_F64LE, TR_NUMBER_F64, 8}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const tr_number number = tr_number_of(cases[i].type);
        cr_expect_eq(number.kind, cases[i].kind, "case %zu", i);
        cr_expect_eq(number.bytes, cases[i].bytes, "case %zu", i);
        if (number.bytes > 1)
            cr_expect_eq(number.swapped, H5Tget_order(cases[i].type) == H5T_ORDER_BE);
        cr_expect_eq(tr_number_is_float(number), cases[i].kind >= TR_NUMBER_F16);
    }
    const hid_t narrow = H5Tcopy(H5T_STD_U16LE); /* 12 of 16 bits */
    H5Tset_precision(narrow, 12);
    cr_expect_eq(tr_number_of(narrow).kind, TR_NUMBER_NONE);
    cr_expect_eq(tr_number_of(H5T_NATIVE_LDOUBLE).kind, TR_NUMBER_NONE);
    cr_expect_eq(tr_number_of(H5T_C_S1).kind, TR_NUMBER_NONE);
    cr_expect_eq(tr_number_of(H5I_INVALID_HID).kind, TR_NUMBER_NONE);
}

/* Values as Python's struct module packs them ("<e", ">d", ...). */
Test(h5_number, converts_bytes)
{
    const struct {
        tr_number number;
        uint8_t bytes[8];
        double value;
    } cases[] = {
        {{TR_NUMBER_U8, 1, false}, {0xff}, 255},
        {{TR_NUMBER_I8, 1, false}, {0xff}, -1},
        {{TR_NUMBER_U16, 2, false}, {0x34, 0x12}, 0x1234},
        {{TR_NUMBER_U16, 2, true}, {0x34, 0x12}, 0x3412},
        {{TR_NUMBER_I16, 2, true}, {0xff, 0xfe}, -2},
        {{TR_NUMBER_U32, 4, true}, {0xff, 0, 0, 1}, 4278190081.0},
        {{TR_NUMBER_I32, 4, false}, {0xfe, 0xff, 0xff, 0xff}, -2},
        {{TR_NUMBER_U64, 8, true}, {0x80, 0, 0, 0, 0, 0, 0, 0}, 0x1p63},
        {{TR_NUMBER_I64, 8, false}, {0, 0, 0, 0, 0, 0, 0, 0x80}, -0x1p63},
        {{TR_NUMBER_F16, 2, false}, {0x00, 0x3c}, 1},
        {{TR_NUMBER_F16, 2, true}, {0xc2, 0x00}, -3},
        {{TR_NUMBER_F16, 2, false}, {0x01, 0x00}, 0x1p-24}, /* smallest */
        {{TR_NUMBER_F16, 2, false}, {0xff, 0x03}, 0x1.ff8p-15},
        {{TR_NUMBER_F16, 2, false}, {0x00, 0x04}, 0x1p-14},
        {{TR_NUMBER_F16, 2, false}, {0xff, 0x7b}, 65504}, /* largest */
        {{TR_NUMBER_F16, 2, false}, {0x00, 0xfc}, -INFINITY},
        {{TR_NUMBER_F32, 4, true}, {0x3f, 0xc0, 0, 0}, 1.5},
        {{TR_NUMBER_F64, 8, true}, {0xbf, 0xe0, 0, 0, 0, 0, 0, 0}, -0.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[8];
        float f32 = 0;
        double f64 = 0;
        memcpy(bytes, cases[i].bytes, 8);
        tr_number_convert(&f64, TR_NUMBER_F64, bytes, cases[i].number, 1);
        memcpy(bytes, cases[i].bytes, 8);
        tr_number_convert(&f32, TR_NUMBER_F32, bytes, cases[i].number, 1);
        cr_expect_eq(f64, cases[i].value, "case %zu: %g", i, f64);
        cr_expect_eq(f32, (float)cases[i].value, "case %zu: %g", i, (double)f32);
    }
    float nan = 0;
    uint8_t half_nan[2] = {0x00, 0x7e};
    tr_number_convert(&nan, TR_NUMBER_F32, half_nan, (tr_number){TR_NUMBER_F16, 2, false}, 1);
    cr_expect(isnan(nan));
}

Test(h5_number, integers_stay_exact)
{
    const int64_t values[] = {0, -1, INT64_MAX, INT64_MIN, (INT64_C(1) << 53) + 1};
    int64_t out[5] = {0};
    uint8_t bytes[sizeof values];
    memcpy(bytes, values, sizeof values);
    tr_number_convert(out, TR_NUMBER_I64, bytes, (tr_number){TR_NUMBER_I64, 8, false}, 5);
    cr_expect_arr_eq(out, values, sizeof values);
    memset(bytes, 0xff, 8); /* beyond int64 */
    tr_number_convert(out, TR_NUMBER_I64, bytes, (tr_number){TR_NUMBER_U64, 8, false}, 1);
    cr_expect_eq(out[0], INT64_MAX);
}

/* Unaligned, swapped, several: nothing beyond n is touched. */
Test(h5_number, stays_inside)
{
    uint8_t bytes[1 + 3 * 2 + 1] = {9, 0, 1, 0, 2, 0, 3, 9};
    float out[4] = {-7, -7, -7, -7};
    tr_number_convert(out, TR_NUMBER_F32, bytes + 1, (tr_number){TR_NUMBER_U16, 2, true}, 3);
    cr_expect(out[0] == 1 && out[1] == 2 && out[2] == 3 && out[3] == -7);
    cr_expect(bytes[0] == 9 && bytes[7] == 9);
}
