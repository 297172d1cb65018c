/* file_kind.c -- see file_kind.h. */
#include "file_kind.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- by a signature ---- */

typedef struct signature {
    size_t offset, n;
    const char *bytes;
    tr_file_kind kind;
} signature;

#define AT(offset, bytes) offset, sizeof(bytes) - 1, bytes

static const char pictures[] =
    "put pictures into a folder for each class and make a dataset of them: `trainer convert images "
    "FOLDER OUT.h5`";
static const char unpack[] = "unpack it first";
static const char npz[] = "`trainer convert npz` makes a dataset of it";
static const char idx[] = "`trainer convert idx FOLDER OUT.h5` makes a dataset of the four files";
static const char tar[] =
    "`trainer convert images` takes archives of pictures, `trainer convert cifar10` that of CIFAR";
static const char pickle[] =
    "it can make a program do anything and is not opened; CIFAR's: `trainer convert cifar10 FOLDER "
    "OUT.h5`, others: save arrays with numpy.savez() and use `trainer convert npz`";
static const char by_numpy[] = "load it in Python, save arrays with numpy.savez() and use `trainer "
                               "convert npz`";

static const signature signatures[] = {
    {AT(0, "version https://git-lfs.github.com/spec/"),
     {"a pointer of Git LFS, a few lines in place of the file", "`git lfs pull` fetches the file",
      true}},
    {AT(0, "\x93NUMPY"), {"an array of NumPy (.npy)", npz, false}},
    {AT(0, "\x1f\x8b"), {"compressed with gzip", unpack, false}},
    {AT(0, "BZh"), {"compressed with bzip2", unpack, false}},
    {AT(0, "\xfd"
           "7zXZ"),
     {"compressed with xz", unpack, false}},
    {AT(0, "\x28\xb5\x2f\xfd"), {"compressed with zstd", unpack, false}},
    {AT(0, "7z\xbc\xaf"), {"a 7z archive", unpack, false}},
    {AT(0, "Rar!"), {"a RAR archive", unpack, false}},
    {AT(257, "ustar"), {"a tar archive", tar, false}},
    {AT(0, "\xff\xd8\xff"), {"a JPEG picture", pictures, false}},
    {AT(0, "\x89PNG"), {"a PNG picture", pictures, false}},
    {AT(0, "GIF8"), {"a GIF picture", pictures, false}},
    {AT(8, "WEBP"), {"a WebP picture", pictures, false}},
    {AT(0, "II*\0"), {"a TIFF picture", pictures, false}},
    {AT(0, "MM\0*"), {"a TIFF picture", pictures, false}},
    {AT(0, "P5"), {"a PNM picture", pictures, false}},
    {AT(0, "P6"), {"a PNM picture", pictures, false}},
    {AT(0, "\0\0\x08\x01"), {"an IDX file (labels of MNIST's kind)", idx, false}},
    {AT(0, "\0\0\x08\x03"), {"an IDX file (images of MNIST's kind)", idx, false}},
    {AT(344, "n+1"), {"a NIfTI volume", by_numpy, false}},
    {AT(344, "ni1"), {"a NIfTI volume", by_numpy, false}},
    {AT(128, "DICM"), {"a DICOM picture", by_numpy, false}},
    {AT(0, "MATLAB 5.0"), {"a MATLAB file of before version 7.3", by_numpy, false}},
    {AT(0, "PAR1"), {"a Parquet table", by_numpy, false}},
    {AT(0, "CDF\x01"), {"a NetCDF file of version 3", by_numpy, false}},
    {AT(0, "SQLite format 3"), {"an SQLite database", NULL, false}},
    {AT(0, "%PDF"), {"a PDF document", NULL, true}},
    {AT(0, "\x7f"
           "ELF"),
     {"a program", NULL, true}},
    {AT(0, "BM"), {"a BMP picture", pictures, false}},
};

/* ---- by what the text says ---- */

static bool begins(const char *text, const char *word)
{
    return strncasecmp(text, word, strlen(word)) == 0;
}

/* A zip's first name tells NumPy's and Keras's from others. */
static tr_file_kind kind_of_zip(const unsigned char *head, size_t n)
{
    enum { NAME_LENGTH = 26, NAME = 30 };
    char name[TR_KIND_BYTES] = "";
    if (n > NAME) {
        const size_t length = head[NAME_LENGTH] | (size_t)head[NAME_LENGTH + 1] << 8;
        const size_t most = n - NAME < sizeof name ? n - NAME : sizeof name - 1;
        memcpy(name, head + NAME, length < most ? length : most);
    }
    const size_t end = strlen(name);
    if (end > 4 && strcmp(name + end - 4, ".npy") == 0)
        return (tr_file_kind){"an archive of NumPy (.npz)", npz, false};
    if (strcmp(name, "metadata.json") == 0 || strcmp(name, "config.json") == 0)
        return (tr_file_kind){"a model of Keras (.keras)", NULL, false};
    return (tr_file_kind){"a zip archive", unpack, false};
}

/* A pickle begins with its protocol, 2 or more, and ends its first word early. */
static bool is_pickle(const unsigned char *head, size_t n)
{
    return n > 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5 &&
           strchr("}](c\x95KX", head[2]) != NULL && head[2] != '\0';
}

static bool all_zeros(const unsigned char *head, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (head[i] != 0)
            return false;
    return n > 0;
}

static bool is_text(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)text[i];
        if ((c < ' ' && strchr("\n\r\t\f", c) == NULL) || c == '\0' || c == 127)
            return false;
    }
    return n > 0;
}

/* Most of the first lines are digits and what stands between them. */
static bool is_table(const char *text, size_t n)
{
    size_t numbers = 0, commas = 0;
    for (size_t i = 0; i < n; i++) {
        numbers += strchr("0123456789.,;-+eE \t\r\n", text[i]) != NULL;
        commas += text[i] == ',';
    }
    return commas > 1 && 10 * numbers > 8 * n;
}

static tr_file_kind kind_of_text(const char *text, size_t n)
{
    const char *at = text + strspn(text, " \t\r\n\xef\xbb\xbf");
    if (begins(at, "<!doctype html") || begins(at, "<html") || begins(at, "<head"))
        return (tr_file_kind){"a web page (HTML) that was saved under this name",
                              "download the file itself: the page has a link to it", true};
    if (begins(at, "<?xml"))
        return (tr_file_kind){"XML, such as servers answer with when something is wrong",
                              "download it again", true};
    if (!is_text(text, n))
        return (tr_file_kind){0};
    if (is_table(text, n))
        return (tr_file_kind){"a table as text (CSV)",
                              "`trainer convert csv` makes a dataset of it", false};
    return (tr_file_kind){*at == '{' || *at == '[' ? "text (JSON)" : "text", NULL, false};
}

/* ---- together ---- */

tr_file_kind tr_file_kind_of(const unsigned char *head, size_t n)
{
    char text[TR_KIND_BYTES + 1] = "";
    if (n > TR_KIND_BYTES)
        n = TR_KIND_BYTES;
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const signature *s = &signatures[i];
        if (n >= s->offset + s->n && memcmp(head + s->offset, s->bytes, s->n) == 0)
            return s->kind;
    }
    if (n > 3 && memcmp(head, "PK\3\4", 4) == 0)
        return kind_of_zip(head, n);
    if (is_pickle(head, n))
        return (tr_file_kind){"a Python pickle", pickle, false};
    if (all_zeros(head, n))
        return (tr_file_kind){"nothing but zeros, as an interrupted download leaves",
                              "download it again", true};
    memcpy(text, head, n);
    return kind_of_text(text, n);
}

tr_file_kind tr_file_kind_at(const char *path)
{
    unsigned char head[TR_KIND_BYTES];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head);
    if (fd >= 0)
        close(fd);
    return n <= 0 ? (tr_file_kind){0} : tr_file_kind_of(head, (size_t)n);
}
