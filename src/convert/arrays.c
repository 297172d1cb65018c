/* arrays.c -- life of the four arrays, and the two visits of their readers; see arrays.h. */
#include "arrays.h"

#include "child.h"
#include "h5.h"
#include "mem.h"

const char *const tr_array_names[TR_N_ARRAYS] = {"x_train", "y_train",      "x_test",
                                                 "y_test",  "x_validation", "y_validation"};

/* ---- types ---- */

size_t tr_number_bytes(tr_number type)
{
    static const size_t bytes[TR_NUMBERS] = {1, 4, 8, 4, 8, 1, 2, 2, 4, 8};
    return bytes[type];
}

const char *tr_number_name(tr_number type)
{
    static const char *const names[TR_NUMBERS] = {"uint8", "int32",  "int64", "float32", "float64",
                                                  "int8",  "uint16", "int16", "uint32",  "uint64"};
    return names[type];
}

hid_t tr_number_stored(tr_number type)
{
    const hid_t types[TR_NUMBERS] = {H5T_STD_U8LE,   H5T_STD_I32LE, H5T_STD_I64LE, H5T_IEEE_F32LE,
                                     H5T_IEEE_F64LE, H5T_STD_I8LE,  H5T_STD_U16LE, H5T_STD_I16LE,
                                     H5T_STD_U32LE,  H5T_STD_U64LE};
    return types[type];
}

hid_t tr_number_native(tr_number type)
{
    const hid_t types[TR_NUMBERS] = {H5T_NATIVE_UINT8,  H5T_NATIVE_INT32,  H5T_NATIVE_INT64,
                                     H5T_NATIVE_FLOAT,  H5T_NATIVE_DOUBLE, H5T_NATIVE_INT8,
                                     H5T_NATIVE_UINT16, H5T_NATIVE_INT16,  H5T_NATIVE_UINT32,
                                     H5T_NATIVE_UINT64};
    return types[type];
}

/* ---- reading ---- */

tr_status tr_arrays_check_found(const bool found[TR_N_ARRAYS], const char *path, tr_error *err)
{
    for (int i = 0; i < TR_N_ARRAYS; i += 2) {
        const int missing = found[i] ? i + 1 : i;
        if ((found[i] != found[i + 1]) || (i == TR_X_TRAIN && !found[i]))
            return tr_fail(err, TR_ERR_DATA, "%s: has no %s; expected %s and %s%s", path,
                           tr_array_names[missing], tr_array_names[i], tr_array_names[i + 1],
                           i == TR_X_TRAIN ? "" : ", both or neither");
    }
    return TR_OK;
}

/* The child that told them had a foreign file in its hands. */
static bool plausible(const tr_array *array)
{
    int64_t n = 1;
    if (array->n == 0)
        return true;
    bool fits = array->type >= 0 && array->type < TR_NUMBERS && array->rank >= 1 &&
                array->rank <= TR_H5_RANK;
    for (int i = 0; fits && i < array->rank; i++)
        fits = array->dims[i] > 0 && !__builtin_mul_overflow(n, array->dims[i], &n);
    return fits && n == array->n;
}

/* Room that the child fills. */
static tr_status make_room(tr_arrays *arrays, const char *path, tr_error *err)
{
    for (int i = 0; i < TR_N_ARRAYS; i++) {
        tr_array *array = &arrays->items[i];
        array->values = NULL;
    }
    for (int i = 0; i < TR_N_ARRAYS; i++) {
        tr_array *array = &arrays->items[i];
        if (!plausible(array))
            return tr_fail(err, TR_ERR_DATA, "%s: %s: its reader told nonsense: is it damaged?",
                           path, tr_array_names[i]);
        if (array->n == 0)
            continue;
        array->values = tr_shared_alloc((size_t)array->n, tr_number_bytes(array->type));
        if (array->values == NULL)
            return tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory for %s", path,
                           tr_array_names[i]);
    }
    return TR_OK;
}

tr_status tr_arrays_fetch(tr_arrays *out, const tr_arrays_visit *what,
                          tr_status (*visit)(void *user, tr_error *err), tr_error *err)
{
    tr_arrays_visit *job = tr_shared_alloc(1, sizeof *job);
    if (job == NULL)
        return tr_out_of_memory(err, what->path);
    *job = *what;
    tr_status status = tr_in_child(visit, job, what->path, err);
    tr_arrays arrays = {0};
    if (status == TR_OK) {
        arrays = job->arrays; /* from here on nobody else can change it */
        status = make_room(&arrays, what->path, err);
    }
    tr_shared_free(job);
    if (status == TR_OK) {
        tr_arrays_visit reading = *what;
        reading.reading = true;
        reading.arrays = arrays;
        status = tr_in_child(visit, &reading, what->path, err);
    }
    if (status == TR_OK)
        *out = arrays;
    else
        tr_arrays_release(&arrays);
    return status;
}

void tr_arrays_release(tr_arrays *arrays)
{
    for (int i = 0; i < TR_N_ARRAYS; i++)
        tr_shared_free(arrays->items[i].values);
    *arrays = (tr_arrays){0};
}
