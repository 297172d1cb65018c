/* h5_twist.c -- see h5_twist.h. Calls of HDF5 that fail are left: then that change was none. */
#include "h5_twist.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "h5.h"

enum { MOST_NAMES = 256, NAME_MAX_BYTES = 128, RAW_BYTES = 64, TWIST_SECONDS = 5 };

typedef struct names {
    char text[MOST_NAMES][NAME_MAX_BYTES];
    unsigned n;
} names;

unsigned fuzz_choose(fuzz_choices *choices, unsigned n)
{
    if (choices->n == 0)
        return 0;
    choices->n--;
    return *choices->at++ % n;
}

/* ---- files ---- */

static char folder[64] = "/tmp/trainer-fuzz-XXXXXX";
static pid_t owner;

/* HDF5 may end a child that twists a file by exit(). */
static void remove_folder(void)
{
    if (getpid() != owner)
        return;
    char path[128];
    static const char *const entries[] = {"fifo", "short.bin", "base.h5", "input.h5", "out.h5"};
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]);
        unlink(path);
    }
    rmdir(folder);
}

const char *fuzz_folder(void)
{
    static bool made = false;
    char path[128];
    if (made)
        return folder;
    if (mkdtemp(folder) == NULL)
        abort();
    snprintf(path, sizeof path, "%s/fifo", folder);
    if (mkfifo(path, 0600) != 0)
        abort();
    snprintf(path, sizeof path, "%s/short.bin", folder);
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs("SECRET", file) < 0 || fclose(file) != 0)
        abort();
    tr_h5_quiet();
    owner = getpid();
    atexit(remove_folder);
    made = true;
    return folder;
}

void fuzz_copy(const char *from, const char *to)
{
    static char bytes[1 << 20];
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    const int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const ssize_t n = read(in, bytes, sizeof bytes);
    if (in < 0 || out < 0 || n < 0 || write(out, bytes, (size_t)n) != n)
        abort();
    close(in);
    close(out);
}

static void flip(const char *path, fuzz_choices *choices)
{
    struct stat info;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0)
        abort();
    while (choices->n >= 3 && info.st_size > 0) {
        const off_t at = (choices->at[0] | choices->at[1] << 8) % info.st_size;
        uint8_t byte = 0;
        if (pread(fd, &byte, 1, at) != 1)
            abort();
        byte ^= choices->at[2];
        if (pwrite(fd, &byte, 1, at) != 1)
            abort();
        choices->at += 3;
        choices->n -= 3;
    }
    close(fd);
}

/* ---- what is there ---- */

static herr_t note_name(hid_t file, const char *name, const H5L_info_t *info, void *user)
{
    names *found = user;
    (void)file;
    (void)info;
    if (found->n < MOST_NAMES && strlen(name) < NAME_MAX_BYTES)
        strcpy(found->text[found->n++], name);
    return 0;
}

/* ---- a dataset ---- */

/* Close it, unless it is one of HDF5's own: closing those fails, which is fine. */
static hid_t choose_type(fuzz_choices *choices)
{
    const hid_t own[] = {H5T_IEEE_F32LE, H5T_STD_U8LE,  H5T_STD_I8LE,  H5T_STD_U16BE,
                         H5T_STD_I32LE,  H5T_STD_I64LE, H5T_STD_U64LE, H5T_IEEE_F64LE,
                         H5T_IEEE_F32BE, H5T_STD_B16LE, H5T_C_S1,      H5T_STD_REF_OBJ};
    const unsigned n_own = sizeof own / sizeof *own, which = fuzz_choose(choices, n_own + 6);
    const hsize_t three = 3;
    if (which < n_own)
        return own[which];
    if (which == n_own)
        return H5Tvlen_create(H5T_STD_U8LE);
    if (which == n_own + 1)
        return H5Tarray_create2(H5T_IEEE_F32LE, 1, &three);
    if (which == n_own + 2)
        return H5Tcreate(H5T_OPAQUE, 7);
    hid_t type = H5Tcopy(H5T_STD_U16LE);
    if (which == n_own + 3) {
        H5Tset_precision(type, 1 + fuzz_choose(choices, 16));
        H5Tset_offset(type, fuzz_choose(choices, 16));
    } else if (which == n_own + 4) {
        H5Tclose(type);
        type = H5Tcopy(H5T_IEEE_F32LE);
        H5Tset_fields(type, 15, 7, 8, 0, 7); /* bfloat16's, in the place of float32 */
        H5Tset_size(type, 2);
    } else {
        H5Tclose(type);
        type = H5Tcreate(H5T_COMPOUND, 8);
        H5Tinsert(type, "r", 0, H5T_IEEE_F32LE);
        H5Tinsert(type, "i", 4, H5T_IEEE_F32LE);
    }
    return type;
}

static hid_t choose_space(fuzz_choices *choices, hsize_t dims[4], int *rank)
{
    static const hsize_t sizes[] = {3, 0, 1, 2, 6, 50, 257, 65536, 1u << 31, (hsize_t)1 << 62};
    *rank = (int)fuzz_choose(choices, 6);
    if (*rank == 5) {
        *rank = 0;
        return H5Screate(H5S_NULL);
    }
    for (int i = 0; i < *rank; i++)
        dims[i] = sizes[fuzz_choose(choices, sizeof sizes / sizeof *sizes)];
    return *rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(*rank, dims, NULL);
}

static void choose_filters(hid_t plist, fuzz_choices *choices)
{
    const unsigned values[] = {1, 2, 3};
    const unsigned which = fuzz_choose(choices, 9);
    if (which == 1 || which == 2)
        H5Pset_shuffle(plist);
    if (which == 1 || which == 3 || which == 4)
        H5Pset_deflate(plist, 6);
    if (which == 4) /* twice: inflates a thousandfold of a thousandfold */
        H5Pset_deflate(plist, 6);
    if (which == 5)
        H5Pset_fletcher32(plist);
    if (which == 6)
        H5Pset_scaleoffset(plist, H5Z_SO_INT, 0);
    if (which == 7)
        H5Pset_nbit(plist);
    if (which == 8) /* LZF's and others' */
        H5Pset_filter(plist, (H5Z_filter_t)(32000 + fuzz_choose(choices, 30)), H5Z_FLAG_OPTIONAL, 3,
                      values);
}

static void choose_layout(hid_t plist, hid_t type, hid_t space, const hsize_t dims[4], int rank,
                          fuzz_choices *choices)
{
    static const char *const others[] = {"short.bin", "fifo", "gone.bin", "input.h5", "/dev/zero"};
    const char *other = others[fuzz_choose(choices, 5)];
    hsize_t chunk[4];
    for (int i = 0; i < rank; i++)
        chunk[i] = dims[i] > 4 ? 1 + fuzz_choose(choices, 4) : dims[i] > 0 ? dims[i] : 1;
    switch (fuzz_choose(choices, 6)) {
    case 1:
        H5Pset_layout(plist, H5D_COMPACT);
        break;
    case 2:
    case 3:
        if (rank > 0)
            H5Pset_chunk(plist, rank, chunk);
        choose_filters(plist, choices);
        break;
    case 4:
        H5Pset_external(plist, other, 0, H5F_UNLIMITED);
        break;
    case 5:
        H5Pset_virtual(plist, space, fuzz_choose(choices, 2) ? "." : other, "x_train", space);
        break;
    default:
        break;
    }
    (void)type;
}

/* Values, a part of them, none, or the fuzzer's own bytes as a packed chunk. */
static void fill(hid_t dataset, hid_t type, hid_t space, int rank, fuzz_choices *choices)
{
    static const double ones[1 << 12] = {1.0};
    const hsize_t offset[4] = {0};
    const unsigned how = fuzz_choose(choices, 4);
    const hssize_t n = H5Sget_simple_extent_npoints(space);
    const bool fits = n >= 0 && (size_t)n * H5Tget_size(type) <= sizeof ones;
    const bool plain = H5Tget_class(type) <= H5T_FLOAT;
    if (how == 0 && fits && plain) {
        H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, ones);
    } else if (how == 1 && rank > 0 && plain) {
        hsize_t start[4] = {0}, count[4] = {1, 1, 1, 1};
        const hid_t one = H5Screate_simple(rank, count, NULL);
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
        H5Dwrite(dataset, type, one, space, H5P_DEFAULT, ones);
        H5Sclose(one);
    } else if (how == 2 && rank > 0) {
        const size_t raw = choices->n < RAW_BYTES ? choices->n : RAW_BYTES;
        H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, offset, raw, choices->at);
        choices->at += raw;
        choices->n -= raw;
    }
}

static void put_dataset(hid_t file, const char *name, hid_t like, fuzz_choices *choices)
{
    hsize_t dims[4] = {0};
    int rank = 0;
    hid_t type = like < 0 ? choose_type(choices) : H5Dget_type(like);
    hid_t space = like < 0 ? choose_space(choices, dims, &rank) : H5Dget_space(like);
    if (like >= 0) {
        rank = H5Sget_simple_extent_ndims(space);
        if (rank > 4)
            rank = 4;
        H5Sget_simple_extent_dims(space, dims, NULL);
    }
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_fill_time(plist, H5D_FILL_TIME_NEVER);
    choose_layout(plist, type, space, dims, rank, choices);
    const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    if (dataset >= 0)
        fill(dataset, type, space, rank, choices);
    tr_h5_close(dataset);
    tr_h5_close(plist);
    tr_h5_close(space);
    tr_h5_close(type);
}

/* ---- attributes ---- */

static void twist_attribute(hid_t file, const char *path, fuzz_choices *choices)
{
    static char text[4096];
    const hid_t object = H5Oopen(file, path, H5P_DEFAULT);
    char name[128] = "model_config";
    H5Aget_name_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, fuzz_choose(choices, 8), name,
                       sizeof name, H5P_DEFAULT);
    H5Adelete(object, name);
    const unsigned how = fuzz_choose(choices, 4);
    hid_t type = how == 1 ? choose_type(choices) : H5Tcopy(H5T_C_S1);
    hid_t space = H5Screate(H5S_SCALAR);
    const size_t n = choices->n < sizeof text - 1 ? choices->n / 2 : sizeof text - 1;
    memcpy(text, choices->at, n);
    text[n] = '\0';
    if (how > 1)
        H5Tset_size(type, how == 2 && n > 0 ? n : H5T_VARIABLE);
    if (how != 0) {
        const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
        const char *pointer = text;
        if (attribute >= 0 && how > 1)
            H5Awrite(attribute, type, how == 2 ? (const void *)text : (const void *)&pointer);
        tr_h5_close(attribute);
    }
    tr_h5_close(space);
    tr_h5_close(type);
    tr_h5_close(object);
}

/* ---- one change ---- */

static void put_link(hid_t file, const char *name, const char *other, fuzz_choices *choices)
{
    static const char *const files[] = {"base.h5", "fifo", "gone.h5", "short.bin", "input.h5"};
    switch (fuzz_choose(choices, 4)) {
    case 0:
        H5Lcreate_external(files[fuzz_choose(choices, 5)], other, file, name, H5P_DEFAULT,
                           H5P_DEFAULT);
        break;
    case 1:
        H5Lcreate_soft(fuzz_choose(choices, 2) ? name : other, file, name, H5P_DEFAULT,
                       H5P_DEFAULT);
        break;
    case 2: /* a group in itself */
        H5Lcreate_hard(file, "/", file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    default:
        H5Lcreate_hard(file, other, file, name, H5P_DEFAULT, H5P_DEFAULT);
    }
}

static void twist_one(hid_t file, fuzz_choices *choices)
{
    static names found;
    found.n = 0;
    H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, note_name, &found);
    const unsigned n = found.n == 0 ? 1 : found.n;
    const char *name = found.n == 0 ? "x_train" : found.text[fuzz_choose(choices, n)];
    const unsigned change = fuzz_choose(choices, 8);
    const hid_t old = change == 0 ? H5Dopen2(file, name, H5P_DEFAULT) : H5I_INVALID_HID;
    if (change < 6)
        H5Ldelete(file, name, H5P_DEFAULT);
    if (change == 0 || change == 1) /* the same shape and type; any */
        put_dataset(file, name, old, choices);
    else if (change == 2 || change == 3)
        put_link(file, name, found.text[fuzz_choose(choices, n)], choices);
    else if (change == 4)
        tr_h5_close(H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    else if (change > 5)
        twist_attribute(file, fuzz_choose(choices, 2) ? "/" : name, choices);
    tr_h5_close(old);
}

static void twist(const char *path, fuzz_choices *choices)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, access);
    for (unsigned left = fuzz_choose(choices, 4); left > 0; left--)
        twist_one(file, choices);
    H5Fclose(file);
    flip(path, choices);
}

/* HDF5 crashes and comes to no end while it writes such files, too; what is then there is an input
 * like any other. */
void fuzz_h5_twist(const char *path, const fuzz_choices *choices)
{
    const pid_t child = fork();
    if (child == 0) {
        fuzz_choices own = *choices;
        signal(SIGALRM, SIG_DFL); /* libFuzzer's */
        alarm(TWIST_SECONDS);
        close(STDERR_FILENO);
        twist(path, &own);
        _exit(0);
    }
    if (child < 0)
        abort();
    while (waitpid(child, NULL, 0) != child)
        if (errno != EINTR) /* libFuzzer's own clock */
            abort();
}
