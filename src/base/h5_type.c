/* h5_type.c -- see h5_type.h. */
#include "h5_type.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void tr_text_append(char *text, size_t n, const char *format, ...)
{
    const size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, n - used, format, args);
    va_end(args);
}

/* Has float32's range in half its bits; float16 is IEEE's. */
static bool is_bfloat16(hid_t type)
{
    size_t sign, exponent, exponent_bits, mantissa, mantissa_bits;
    return H5Tget_size(type) == 2 &&
           H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) >= 0 &&
           exponent_bits == 8;
}

bool tr_h5_type_is_bool(hid_t type)
{
    if (H5Tget_class(type) != H5T_ENUM || H5Tget_size(type) != 1 || H5Tget_nmembers(type) != 2)
        return false;
    bool fits = true;
    for (unsigned i = 0; i < 2; i++) {
        signed char value = -1;
        char *name = H5Tget_member_name(type, i);
        fits = fits && name != NULL && H5Tget_member_value(type, i, &value) >= 0 &&
               strcmp(name, value == 0 ? "FALSE" : "TRUE") == 0 && (value == 0 || value == 1);
        H5free_memory(name);
    }
    return fits;
}

void tr_h5_type_text(hid_t type, char *text, size_t n)
{
    text[0] = '\0';
    const size_t bits = 8 * H5Tget_size(type);
    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
        tr_text_append(text, n, "%sint%zu", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", bits);
        break;
    case H5T_FLOAT:
        tr_text_append(text, n, "%sfloat%zu", is_bfloat16(type) ? "b" : "", bits);
        break;
    case H5T_STRING:
        tr_text_append(text, n, "string");
        break;
    case H5T_COMPOUND:
        tr_text_append(text, n, "compound");
        break;
    case H5T_ENUM:
        tr_text_append(text, n, tr_h5_type_is_bool(type) ? "bool" : "enumeration");
        break;
    default:
        tr_text_append(text, n, "non-numeric");
        break;
    }
}

hid_t tr_h5_stored_type(hid_t dataset)
{
    const hid_t type = H5Dget_type(dataset);
    if (type < 0 || H5Tget_class(type) != H5T_ENUM)
        return type;
    const hid_t integers = H5Tget_super(type);
    tr_h5_close(type);
    return integers;
}
