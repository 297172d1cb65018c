/* npy.c -- see npy.h. */
#include "npy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* '|': one byte has no order. */
static const char *const descr[TR_NUMBERS] = {"|u1", "<i4", "<i8", "<f4", "<f8"};

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

static tr_status parse_type(tr_array *array, const char *text, const char *name, tr_error *err)
{
    const char *at = value_of(text, "descr");
    const int n = at == NULL || *at != '\'' ? 0 : (int)strcspn(at + 1, "'");
    for (int i = 0; n == 3 && i < TR_NUMBERS; i++)
        if (strncmp(at + 1, descr[i], 3) == 0 ||
            (i == TR_NUMBER_U8 && strncmp(at + 1, "<u1", 3) == 0)) {
            array->type = (tr_number)i;
            return TR_OK;
        }
    if (n == 0)
        return tr_fail(err, TR_ERR_DATA, "%s: has no plain type ('descr')", name);
    return tr_fail(err, TR_ERR_DATA,
                   "%s: has the type '%.*s'; allowed: '|u1', '<i4', '<i8', '<f4', '<f8'", name,
                   n < 32 ? n : 32, at + 1);
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

static tr_status parse_text(tr_array *array, const char *text, const char *name, tr_error *err)
{
    const char *order = value_of(text, "fortran_order");
    TR_TRY(parse_type(array, text, name, err));
    if (order == NULL || strncmp(order, "False", 5) != 0)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: is in Fortran order; store it in C order (numpy.ascontiguousarray)",
                       name);
    return parse_shape(array, text, name, err);
}

tr_status tr_npy_parse(tr_array *array, size_t *length, const void *bytes, size_t n,
                       const char *name, tr_error *err)
{
    const unsigned char *head = bytes;
    char text[TR_NPY_HEADER_MAX];
    *array = (tr_array){0};
    if (n < 12 || memcmp(head, "\x93NUMPY", 6) != 0)
        return tr_fail(err, TR_ERR_DATA, "%s: is not in NumPy's .npy format", name);
    if ((head[6] != 1 && head[6] != 2) || head[7] != 0)
        return tr_fail(err, TR_ERR_DATA, "%s: is .npy version %d.%d; allowed: 1.0 and 2.0", name,
                       head[6], head[7]);
    const size_t start = head[6] == 1 ? 10 : 12;
    size_t n_text = (size_t)(head[8] | head[9] << 8);
    if (head[6] == 2)
        n_text |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
    if (n_text >= sizeof text - start || start + n_text > n)
        return tr_fail(err, TR_ERR_DATA, "%s: its .npy header of %zu bytes is damaged or no array",
                       name, n_text);
    memcpy(text, head + start, n_text);
    text[n_text] = '\0';
    *length = start + n_text;
    return parse_text(array, text, name, err);
}

/* ---- writing ---- */

size_t tr_npy_header(char header[TR_NPY_HEADER_MAX], const tr_array *array)
{
    enum { START = 10, ALIGN = 64 };
    char *text = header + START;
    const size_t room = TR_NPY_HEADER_MAX - START;
    size_t n = (size_t)snprintf(text, room, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                                descr[array->type]);
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
