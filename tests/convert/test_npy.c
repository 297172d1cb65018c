/* test_npy.c -- headers of .npy files: ours come back, others are refused by name. */
#include "npy.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* A file's beginning: version, dictionary; the declared length may be another. */
static size_t head(char *bytes, int major, int minor, const char *text, int more)
{
    const size_t n = strlen(text), declared = n + (size_t)more, start = major == 2 ? 12 : 10;
    memcpy(bytes, "\x93NUMPY", 6);
    bytes[6] = (char)major;
    bytes[7] = (char)minor;
    memset(bytes + 8, 0, 4);
    bytes[8] = (char)(declared & 0xff);
    bytes[9] = (char)(declared >> 8);
    memcpy(bytes + start, text, n);
    return start + n;
}

static void expect_parsed(int major, const char *text, tr_number type, int rank, int64_t n)
{
    char bytes[2048];
    tr_npy npy;
    tr_error err = {0};
    const size_t size = head(bytes, major, 0, text, 0);
    cr_assert_eq(tr_npy_parse(&npy, bytes, size, "a.npy", &err), TR_OK, "%s", err.text);
    cr_expect(npy.array.type == type && npy.array.rank == rank && npy.array.n == n &&
                  npy.length == size,
              "%s", text);
}

static void expect_refused(int major, int minor, const char *text, int more, const char *expected)
{
    char bytes[2048];
    tr_npy npy;
    tr_error err = {0};
    const size_t n = head(bytes, major, minor, text, more);
    cr_expect_eq(tr_npy_parse(&npy, bytes, n, "a.npy", &err), TR_ERR_DATA, "%s", text);
    cr_expect(strstr(err.text, "a.npy: ") == err.text && strstr(err.text, expected) != NULL, "%s",
              err.text);
}

Test(npy, understands_what_numpy_writes)
{
    expect_parsed(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), }   \n",
                  TR_NUMBER_U8, 3, 60000 * 784);
    expect_parsed(2, "{'descr': '<u1', 'fortran_order': False, 'shape': (5,), }\n", TR_NUMBER_U8, 1,
                  5);
    expect_parsed(1, "{'shape': (2,3), 'descr': '<f4', 'fortran_order': False}", TR_NUMBER_F32, 2,
                  6);
    expect_parsed(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", TR_NUMBER_F64, 1,
                  1);
    expect_parsed(1, "{'descr': '<i4', 'fortran_order': False, 'shape': (1,)}", TR_NUMBER_I32, 1,
                  1);
    expect_parsed(1, "{'descr': '<i8', 'fortran_order': False, 'shape': (1,)}", TR_NUMBER_I64, 1,
                  1);
}

Test(npy, refuses_by_name)
{
    static const char fine[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
    expect_refused(4, 0, fine, 0, "version 4.0");
    expect_refused(1, 1, fine, 0, "version 1.1");
    expect_refused(1, 0, fine, 1, "header");
    expect_refused(1, 0, fine, 30000, "header");
    expect_refused(1, 0, "{'descr': '<i3', 'fortran_order': False, 'shape': (2,), }", 0, "'<i3'");
    expect_refused(1, 0, "{'descr': '<U9', 'fortran_order': False, 'shape': (2,), }", 0, "'<U9'");
    expect_refused(1, 0, "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", 0, "'|O'");
    expect_refused(1, 0, "{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }", 0, "'<c8'");
    expect_refused(1, 0, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", 0,
                   "no plain type");
    expect_refused(1, 0, "{'descr': '<f4', 'fortran_order': 1, 'shape': (2, 3), }", 0, "its order");
    static const char *const shapes[] = {"()",
                                         "(0,)",
                                         "(-1,)",
                                         "(2, 3",
                                         "(2 3)",
                                         "(2, x)",
                                         "[2]",
                                         "(,)",
                                         "",
                                         "(9223372036854775807, 9223372036854775807)",
                                         "(1, 1, 1, 1, 1, 1, 1, 1, 1)"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        char text[256];
        snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': %s",
                 shapes[i]);
        expect_refused(1, 0, text, 0, "its shape is");
    }
    expect_refused(1, 0, "", 0, "");
    expect_refused(1, 0, "{'descr", 0, "no plain type");
}

Test(npy, own_headers_come_back)
{
    for (int type = 0; type < TR_NUMBERS; type++)
        for (int rank = 1; rank <= TR_H5_RANK; rank++) {
            char header[TR_NPY_HEADER_MAX];
            tr_array array = {.type = (tr_number)type, .rank = rank, .n = 1};
            tr_npy back;
            tr_error err = {0};
            for (int i = 0; i < rank; i++)
                array.n *= array.dims[i] = 10 + 3 * i;
            const size_t n = tr_npy_header(header, &array);
            cr_assert_eq(tr_npy_parse(&back, header, n, "a", &err), TR_OK, "%s", err.text);
            const tr_array found = back.array;
            cr_expect(back.length == n && tr_npy_is_plain(&back) && n % 64 == 0 &&
                      header[n - 1] == '\n');
            cr_expect(found.type == array.type && found.rank == rank && found.n == array.n);
            cr_expect_eq(memcmp(found.dims, array.dims, sizeof array.dims), 0);
        }
}

Test(npy, every_half_is_the_float_it_says)
{
    tr_npy npy = {.array = {.type = TR_NUMBER_F32, .rank = 1, .dims = {1}, .n = 1},
                  .stored_bytes = 2,
                  .half = true};
    /* From NumPy: numpy.uint16(half).view("f2"). */
    static const struct {
        uint16_t half;
        float value;
    } cases[] = {{0x3c00, 1.0f},        {0xc000, -2.0f},        {0x7bff, 65504.0f},
                 {0x0001, 0x1p-24f},    {0x03ff, 0x1.ff8p-15f}, {0x0400, 0x1p-14f},
                 {0x3555, 0x1.554p-2f}, {0x7c00, INFINITY},     {0xfc00, -INFINITY},
                 {0x8000, -0.0f}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float value;
        tr_npy_convert(&value, &npy, &cases[i].half);
        cr_expect_eq(memcmp(&value, &cases[i].value, sizeof value), 0, "%04x: %a", cases[i].half,
                     (double)value);
    }
    float value;
    tr_npy_convert(&value, &npy, &(uint16_t){0x7e00});
    cr_expect(isnan(value));
}
