/* npy.c -- see npy.h. */
#include "npy.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What follows the byte order in 'descr'; the first TR_NUMBERS rows in the order of tr_number. */
static const struct {
    char kind, bytes;
    tr_number becomes;
} types[] = {
    {'u', 1, TR_NUMBER_U8},  {'i', 4, TR_NUMBER_I32}, {'i', 8, TR_NUMBER_I64},
    {'f', 4, TR_NUMBER_F32}, {'f', 8, TR_NUMBER_F64}, {'i', 1, TR_NUMBER_I8},
    {'u', 2, TR_NUMBER_U16}, {'i', 2, TR_NUMBER_I16}, {'u', 4, TR_NUMBER_U32},
    {'u', 8, TR_NUMBER_U64}, {'b', 1, TR_NUMBER_U8},  {'f', 2, TR_NUMBER_F32},
};
enum { N_TYPES = sizeof types / sizeof *types };

/* ---- reading ---- */

/* Behind "'key':" and spaces, or NULL. */
static const char *value_of(const char *text, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "'%s'", key);
    const char *at = strstr(text, quoted);
    if (at == NULL)
        return NULL;
    at += strlen(quoted);
    at += strspn(at, " ");
    if (*at != ':')
        return NULL;
    return at + 1 + strspn(at + 1, " ");
}

static tr_status parse_type(tr_npy *out, const char *text, const char *name, tr_error *err)
{
    const char *at = value_of(text, "descr");
    const int n = at == NULL || *at != '\'' ? 0 : (int)strcspn(at + 1, "'");
    if (n == 0)
        return tr_fail(err, TR_ERR_DATA, "%s: has no plain type ('descr')", name);
    for (int i = 0; n == 3 && i < N_TYPES; i++)
        if (strchr("<>|", at[1]) != NULL && at[2] == types[i].kind &&
            at[3] == '0' + types[i].bytes) {
            out->array.type = types[i].becomes;
            out->stored_bytes = types[i].bytes;
            out->half = types[i].kind == 'f' && types[i].bytes == 2;
            out->swapped = at[1] == '>' && types[i].bytes > 1;
            return TR_OK;
        }
    return tr_fail(err, TR_ERR_DATA,
                   "%s: has the type '%.*s'; allowed: bool, integers of 1 to 8 bytes, float16, "
                   "float32, float64",
                   name, n < 32 ? n : 32, at + 1);
}

/* "(60000, 28, 28)", "(5,)" */
static tr_status parse_shape(tr_array *array, const char *text, const char *name, tr_error *err)
{
    const char *at = value_of(text, "shape");
    array->rank = 0;
    array->n = 1;
    bool sound = at != NULL && *at++ == '(';
    while (sound && *(at += strspn(at, " ")) != ')') {
        char *end;
        const long long dim = isdigit((unsigned char)*at) ? strtoll(at, &end, 10) : 0;
        sound = dim > 0 && array->rank < TR_H5_RANK &&
                !__builtin_mul_overflow(array->n, (int64_t)dim, &array->n);
        if (!sound)
            break;
        array->dims[array->rank++] = dim;
        at = end + strspn(end, " ");
        sound = *at == ',' || *at == ')';
        at += *at == ',';
    }
    if (sound && array->rank > 0)
        return TR_OK;
    const char *shape = value_of(text, "shape");
    return tr_fail(err, TR_ERR_DATA,
                   "%s: its shape is %.*s; expected 1 to %d dimensions, none of them 0", name,
                   shape == NULL ? 6 : (int)strcspn(shape, ")\n") + 1,
                   shape == NULL ? "absent" : shape, TR_H5_RANK);
}

static tr_status parse_text(tr_npy *out, const char *text, const char *name, tr_error *err)
{
    const char *order = value_of(text, "fortran_order");
    TR_TRY(parse_type(out, text, name, err));
    if (order == NULL || (strncmp(order, "False", 5) != 0 && strncmp(order, "True", 4) != 0))
        return tr_fail(err, TR_ERR_DATA, "%s: does not say its order ('fortran_order')", name);
    out->fortran = *order == 'T';
    return parse_shape(&out->array, text, name, err);
}

tr_status tr_npy_parse(tr_npy *out, const void *bytes, size_t n, const char *name, tr_error *err)
{
    const unsigned char *head = bytes;
    char text[TR_NPY_HEADER_MAX];
    *out = (tr_npy){0};
    if (n < 12 || memcmp(head, "\x93NUMPY", 6) != 0)
        return tr_fail(err, TR_ERR_DATA, "%s: is not in NumPy's .npy format", name);
    if (head[6] < 1 || head[6] > 3 || head[7] != 0)
        return tr_fail(err, TR_ERR_DATA, "%s: is .npy version %d.%d; allowed: 1.0, 2.0 and 3.0",
                       name, head[6], head[7]);
    const size_t start = head[6] == 1 ? 10 : 12;
    size_t n_text = (size_t)(head[8] | head[9] << 8);
    if (head[6] >= 2)
        n_text |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
    if (n_text >= sizeof text - start || start + n_text > n)
        return tr_fail(err, TR_ERR_DATA, "%s: its .npy header of %zu bytes is damaged or no array",
                       name, n_text);
    memcpy(text, head + start, n_text);
    text[n_text] = '\0';
    out->length = start + n_text;
    return parse_text(out, text, name, err);
}

/* ---- values ---- */

bool tr_npy_is_plain(const tr_npy *npy)
{
    return !npy->half && !npy->swapped && (!npy->fortran || npy->array.rank == 1);
}

/* Exact: every float16 is a float32. */
static float from_half(uint16_t half)
{
    const int exponent = half >> 10 & 31, fraction = half & 1023;
    const double magnitude = exponent == 31  ? (fraction == 0 ? INFINITY : NAN)
                             : exponent == 0 ? ldexp(fraction, -24)
                                             : ldexp(1024 + fraction, exponent - 25);
    return (float)(half >> 15 != 0 ? -magnitude : magnitude);
}

static void convert_one(void *value, const tr_npy *npy, const uint8_t *stored)
{
    uint8_t bytes[8];
    const int n = npy->stored_bytes;
    for (int i = 0; i < n; i++)
        bytes[i] = stored[npy->swapped ? n - 1 - i : i];
    if (npy->half)
        memcpy(value, &(float){from_half((uint16_t)(bytes[0] | bytes[1] << 8))}, sizeof(float));
    else
        memcpy(value, bytes, (size_t)n);
}

void tr_npy_convert(void *values, const tr_npy *npy, const void *stored)
{
    const tr_array *array = &npy->array;
    const size_t bytes = tr_number_bytes(array->type);
    int64_t at[TR_H5_RANK] = {0}, step[TR_H5_RANK];
    for (int i = 0, last = array->rank - 1; i < array->rank; i++) {
        const int axis = npy->fortran ? i : last - i; /* from the fastest one on */
        const int before = npy->fortran ? axis - 1 : axis + 1;
        step[axis] = i == 0 ? 1 : step[before] * array->dims[before];
    }
    int64_t from = 0;
    for (int64_t k = 0; k < array->n; k++) {
        convert_one((char *)values + (size_t)k * bytes, npy,
                    (const uint8_t *)stored + from * npy->stored_bytes);
        for (int axis = array->rank - 1; axis >= 0; axis--) { /* the next index, in C order */
            from += step[axis];
            if (++at[axis] < array->dims[axis])
                break;
            from -= step[axis] * array->dims[axis];
            at[axis] = 0;
        }
    }
}

/* ---- writing ---- */

size_t tr_npy_header(char header[TR_NPY_HEADER_MAX], const tr_array *array)
{
    enum { START = 10, ALIGN = 64 };
    char *text = header + START;
    const size_t room = TR_NPY_HEADER_MAX - START;
    size_t n =
        (size_t)snprintf(text, room, "{'descr': '%c%c%d', 'fortran_order': False, 'shape': (",
                         types[array->type].bytes == 1 ? '|' : '<', /* no order */
                         types[array->type].kind, types[array->type].bytes);
    for (int i = 0; i < array->rank; i++)
        n += (size_t)snprintf(text + n, room - n, "%s%lld%s", i > 0 ? ", " : "",
                              (long long)array->dims[i], array->rank == 1 ? "," : "");
    n += (size_t)snprintf(text + n, room - n, "), }");
    const size_t whole = (START + n + 1 + ALIGN - 1) / ALIGN * ALIGN; /* with the line's end */
    memset(text + n, ' ', whole - START - n);
    header[whole - 1] = '\n';
    memcpy(header, "\x93NUMPY\1\0", 8);
    header[8] = (char)((whole - START) & 0xff);
    header[9] = (char)((whole - START) >> 8);
    return whole;
}
