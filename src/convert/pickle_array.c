/* pickle_array.c -- what of a pickle is a dictionary's entry, or an array of NumPy; see pickle.h.
 *
 * NumPy makes an array by _reconstruct(ndarray, (0,), b'b') and the state (version, shape, dtype,
 * is_fortran, bytes), since protocol 5 by _frombuffer(bytes, dtype, shape, order). Python 3 writes
 * bytes for Python 2 as _codecs.encode(text, 'latin1'); files of that kind are refused, as no
 * known dataset is one: their bytes would have to be made anew.
 */
#include <string.h>

#include "pickle.h"

static bool is_text(const tr_pickle_value *value, const char *text)
{
    return value != NULL && value->text != NULL && value->n == strlen(text) &&
           memcmp(value->text, text, value->n) == 0;
}

const tr_pickle_value *tr_pickle_find(const tr_pickle_value *dict, const char *key)
{
    for (size_t i = 0; dict->kind == TR_PICKLE_DICT && i + 1 < dict->n_items; i += 2) {
        const tr_pickle_value *name = dict->items[i];
        if ((name->kind == TR_PICKLE_BYTES || name->kind == TR_PICKLE_TEXT) && is_text(name, key))
            return dict->items[i + 1];
    }
    return NULL;
}

/* Item i of a list, or of a call; NULL where there is none. */
static const tr_pickle_value *item(const tr_pickle_value *value, tr_pickle_kind kind, size_t i)
{
    return value != NULL && value->kind == kind && i < value->n_items ? value->items[i] : NULL;
}

/* dtype('u1'), with or without a state behind it. */
static bool is_uint8(const tr_pickle_value *type)
{
    const tr_pickle_value *name = item(item(type, TR_PICKLE_CALL, 1), TR_PICKLE_LIST, 0);
    return is_text(item(type, TR_PICKLE_CALL, 0), "dtype") &&
           (is_text(name, "u1") || is_text(name, "|u1") || is_text(name, "uint8"));
}

static bool fill(tr_pickle_array *out, const tr_pickle_value *shape, const tr_pickle_value *type,
                 const tr_pickle_value *bytes, bool fortran)
{
    const tr_pickle_value *rows = item(shape, TR_PICKLE_LIST, 0),
                          *columns = item(shape, TR_PICKLE_LIST, 1);
    int64_t n;
    if (!is_uint8(type) || rows == NULL || columns == NULL || shape->n_items != 2 ||
        rows->kind != TR_PICKLE_INT || columns->kind != TR_PICKLE_INT || rows->number < 1 ||
        columns->number < 1 || __builtin_mul_overflow(rows->number, columns->number, &n) ||
        bytes == NULL || bytes->kind != TR_PICKLE_BYTES || (uint64_t)n != bytes->n)
        return false;
    *out = (tr_pickle_array){.bytes = bytes->text,
                             .dims = {rows->number, columns->number},
                             .step = {fortran ? 1 : columns->number, fortran ? rows->number : 1}};
    return true;
}

bool tr_pickle_as_array(tr_pickle_array *out, const tr_pickle_value *value)
{
    const tr_pickle_value *function = item(value, TR_PICKLE_CALL, 0),
                          *arguments = item(value, TR_PICKLE_CALL, 1),
                          *state = item(value, TR_PICKLE_CALL, 2);
    if (is_text(function, "_frombuffer"))
        return fill(out, item(arguments, TR_PICKLE_LIST, 2), item(arguments, TR_PICKLE_LIST, 1),
                    item(arguments, TR_PICKLE_LIST, 0),
                    is_text(item(arguments, TR_PICKLE_LIST, 3), "F"));
    const tr_pickle_value *fortran = item(state, TR_PICKLE_LIST, 3);
    return is_text(function, "_reconstruct") &&
           fill(out, item(state, TR_PICKLE_LIST, 1), item(state, TR_PICKLE_LIST, 2),
                item(state, TR_PICKLE_LIST, 4), fortran != NULL && fortran->number != 0);
}
