/* convert_npz.c -- NumPy's .npz, as Keras's mnist.npz comes, into an HDF5 dataset and back. */
#include <string.h>
#include <unistd.h>

#include "arrays.h"
#include "file.h"
#include "mem.h"
#include "trainer/convert.h"

/* Where an array is: "NAME" in the file at hand, "OTHER.npz:NAME", or "OTHER.npy". */
typedef struct place {
    char *path; /* NULL: the file at hand */
    const char *name;
} place;

static tr_status find_place(place *out, const char *text, tr_error *err)
{
    const bool whole = tr_ends_in(text, ".npy") && access(text, F_OK) == 0; /* "a:b/y.npy" */
    const char *colon = whole ? NULL : strrchr(text, ':');
    const bool other = colon != NULL || tr_ends_in(text, ".npy");
    out->name = colon != NULL ? colon + 1 : other ? "" : text;
    if (out->name[0] == '\0' && colon != NULL)
        return tr_fail(err, TR_ERR_CONFIG, "%s: no array is named behind the colon", text);
    if (strlen(out->name) + sizeof ".npy" > TR_NPZ_NAME_MAX)
        return tr_fail(err, TR_ERR_CONFIG, "%s: no array has so long a name", text);
    if (!other)
        return TR_OK;
    out->path =
        tr_format("%.*s", (int)(colon == NULL ? strlen(text) : (size_t)(colon - text)), text);
    return out->path == NULL ? tr_out_of_memory(err, NULL) : TR_OK;
}

/* Array i, alone: in most files each is a member, and reading one does not read the others. */
static tr_status read_one(tr_arrays *all, int i, const char *path, const char *text, tr_error *err)
{
    const char *names[TR_N_ARRAYS] = {NULL};
    tr_arrays found = {0};
    place at = {0};
    tr_status status = find_place(&at, text, err);
    names[i] = at.name;
    if (status == TR_OK)
        status = tr_arrays_read_npz(&found, at.path == NULL ? path : at.path, names, err);
    if (status == TR_OK && found.items[i].n == 0)
        status = tr_fail(err, TR_ERR_DATA, "%s: is one array (.npy) and has none called %s",
                         at.path == NULL ? path : at.path, at.name);
    all->items[i] = found.items[i];
    tr_free(at.path);
    return status;
}

/* Writing the output must not destroy what is read from. */
static tr_status check_output(const char *const names[TR_CONVERT_NAMES], const char *out_path,
                              tr_error *err)
{
    for (int i = 0; i < TR_N_ARRAYS; i++) {
        place at = {0};
        if (names[i] == NULL)
            continue;
        TR_TRY(find_place(&at, names[i], err));
        const bool same = at.path != NULL && tr_file_same(at.path, out_path);
        tr_free(at.path);
        if (same)
            return tr_fail(err, TR_ERR_CONFIG, "%s: is an input (%s); give another output",
                           out_path, names[i]);
    }
    return TR_OK;
}

static tr_status read_named(tr_arrays *out, const char *path,
                            const char *const names[TR_CONVERT_NAMES], tr_error *err)
{
    bool found[TR_N_ARRAYS];
    for (int i = 0; i < TR_N_ARRAYS; i++)
        found[i] = names[i] != NULL;
    TR_TRY(tr_arrays_check_found(found, path, err));
    for (int i = 0; i < TR_N_ARRAYS; i++)
        if (names[i] != NULL)
            TR_TRY(read_one(out, i, path, names[i], err));
    return TR_OK;
}

tr_status tr_convert_npz(const char *path, const char *const names[TR_CONVERT_NAMES],
                         const char *out_path, tr_error *err)
{
    static const tr_arrays_origin origin = {.source = "NPZ file", .creator = "trainer convert npz"};
    tr_arrays arrays = {0};
    if (names != NULL)
        TR_TRY(check_output(names, out_path, err));
    tr_status status = names == NULL ? tr_arrays_read_npz(&arrays, path, NULL, err)
                                     : read_named(&arrays, path, names, err);
    if (status == TR_OK)
        status = tr_arrays_write_h5(&arrays, &origin, out_path, err);
    tr_arrays_release(&arrays);
    return status;
}

tr_status tr_convert_to_npz(const char *path, const char *out_path, tr_error *err)
{
    tr_arrays arrays = {0};
    TR_TRY(tr_arrays_read_h5(&arrays, path, true, err));
    const tr_status status = tr_arrays_write_npz(&arrays, out_path, err);
    tr_arrays_release(&arrays);
    return status;
}
