/* h5_file.c -- see h5_file.h. */
#include "h5_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "file_kind.h"
#include "h5_array.h"
#include "h5_path.h"
#include "mem.h"

/* ---- the file ---- */

static uint64_t physical_bytes(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page_bytes <= 0)
        return UINT64_MAX;
    return (uint64_t)pages * (uint64_t)page_bytes;
}

/* HDF5 would answer all of these with "unable to open file". */
static tr_status check_path(const char *path, tr_error *err)
{
    struct stat info;
    if (stat(path, &info) != 0 && errno == ENOENT)
        return tr_fail(err, TR_ERR_DATA, "%s: no such file", path);
    int fd = -1;
    TR_TRY(tr_file_open_input(&fd, path, err));
    const bool known = fstat(fd, &info) == 0;
    close(fd);
    if (!known)
        return tr_fail(err, TR_ERR_DATA, "%s: cannot be read: %s", path, strerror(errno));
    if (info.st_size == 0)
        return tr_fail(err, TR_ERR_DATA, "%s: is empty (0 bytes); expected an HDF5 file", path);
    return TR_OK;
}

/* Counts the first entries of a file down. */
static bool count_down(void *left, const tr_h5_file *file, const char *name, const H5L_info_t *info)
{
    (void)file, (void)name, (void)info;
    return --*(int64_t *)left > 0;
}

/* Nobody nests a dataset or a model so deep that HDF5 and whoever lists the file next run into
 * trouble with it. Looks at the first entries only, as a file may well have millions. */
static tr_status check_depth(const tr_h5_file *file, tr_error *err)
{
    int64_t left = 10000;
    const char *fault;
    tr_h5_file_visit(file, count_down, &left, &fault);
    return fault == NULL ? TR_OK : tr_fail(err, TR_ERR_DATA, "%s: %s", file->path, fault);
}

/* Takes `access` over. */
static tr_status open_with(tr_h5_file *out, const char *name, hid_t access, tr_error *err)
{
    char cause[TR_H5_TEXT] = "";
    H5PLset_loading_state(0); /* a file may name a filter, but brings no code along */
    out->id = access < 0 ? H5I_INVALID_HID : H5Fopen(name, H5F_ACC_RDONLY, access);
    if (out->id < 0)
        tr_h5_cause(cause, sizeof cause);
    tr_h5_close(access);
    const tr_status status = out->id < 0 ? TR_ERR_DATA : check_depth(out, err);
    if (status == TR_OK)
        return TR_OK;
    if (out->id >= 0) {
        tr_h5_close(out->id);
        out->id = H5I_INVALID_HID;
        return status;
    }
    if (strstr(cause, "lock file") != NULL)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: cannot be locked (%s); nothing is wrong with the file: another program "
                       "has it open for writing, or its file system has no locks, which the "
                       "environment variable HDF5_USE_FILE_LOCKING=FALSE does without",
                       out->path, cause);
    return tr_fail(err, TR_ERR_DATA,
                   "%s: HDF5 cannot open it: %s; the file is damaged or incomplete: make or copy "
                   "it again",
                   out->path, cause);
}

/* What was saved under another name is told by what it is. */
static tr_status fail_foreign(const char *path, tr_h5_policy policy, tr_error *err)
{
    const tr_file_kind kind = tr_file_kind_at(path);
    const bool model = policy == TR_H5_MODEL;
    const char *what_to_do = !model || kind.bad_copy ? kind.dataset : NULL;
    if (what_to_do == NULL)
        what_to_do = model ? NULL : "`trainer convert` makes one from other formats";
    return tr_fail(err, TR_ERR_DATA, "%s: is not an HDF5 file%s%s%s%s%s", path,
                   model ? ", nor an archive (.keras): no model" : "",
                   kind.what == NULL ? "" : "; it is ", kind.what == NULL ? "" : kind.what,
                   what_to_do == NULL ? "" : ": ", what_to_do == NULL ? "" : what_to_do);
}

tr_status tr_h5_file_open(tr_h5_file *out, const char *path, tr_h5_policy policy, tr_error *err)
{
    *out = (tr_h5_file){H5I_INVALID_HID, path, physical_bytes(), policy};
    tr_h5_quiet();
    TR_TRY(check_path(path, err));
    if (H5Fis_hdf5(path) <= 0)
        return fail_foreign(path, policy, err);
    /* Network file systems of clusters often have no locks; a reader can do without. */
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_file_locking(access, 0, 1);
    return open_with(out, path, access, err);
}

tr_status tr_h5_file_open_image(tr_h5_file *out, const void *bytes, size_t n, const char *path,
                                tr_error *err)
{
    *out = (tr_h5_file){H5I_INVALID_HID, path, physical_bytes(), TR_H5_MODEL};
    tr_h5_quiet();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    tr_alloc_expect(3 * n); /* the property's copy, the driver's, and as it grows */
    /* HDF5 copies the image before it changes anything; it never writes this one. */
    if (access >= 0 && (H5Pset_fapl_core(access, 1 << 16, 0) < 0 ||
                        H5Pset_file_image(access, (void *)(uintptr_t)bytes, n) < 0)) {
        tr_h5_close(access);
        access = H5I_INVALID_HID;
    }
    return open_with(out, "image", access, err);
}

void tr_h5_file_close(tr_h5_file *file)
{
    if (file->path != NULL)
        tr_h5_close(file->id);
    *file = (tr_h5_file){0};
}

/* ---- what is in it ---- */

tr_status tr_h5_file_has(const tr_h5_file *file, const char *name, bool *has, tr_error *err)
{
    char resolved[TR_H5_PATH];
    tr_error reason;
    const tr_h5_way way = tr_h5_path_resolve(file, name, resolved, NULL, &reason);
    *has = way != TR_H5_WAY_NOWHERE;
    return way == TR_H5_WAY_UNKNOWN ? tr_fail(err, TR_ERR_DATA, "%s", reason.text) : TR_OK;
}

tr_status tr_h5_group_open(hid_t *out, const tr_h5_file *file, const char *path, tr_error *err)
{
    char resolved[TR_H5_PATH];
    *out = H5I_INVALID_HID;
    if (tr_h5_path_resolve(file, path, resolved, NULL, err) != TR_H5_WAY_INSIDE)
        return TR_ERR_DATA;
    *out = H5Gopen2(file->id, resolved, H5P_DEFAULT);
    if (*out >= 0)
        return TR_OK;
    char cause[TR_H5_TEXT];
    tr_h5_cause(cause, sizeof cause);
    return tr_fail(err, TR_ERR_DATA, "%s: the group %s cannot be opened: %s; is the file damaged?",
                   file->path, path[0] == '\0' ? "/" : path, cause);
}
