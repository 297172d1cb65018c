/* h5_texts.c -- see h5_texts.h. Some at a time: strings of variable length take what they take. */
#include "h5_texts.h"

#include <string.h>

#include "mem.h"

enum { AT_A_TIME = 1024, LONGEST = 1 << 16 };

/* Room for a block, and how its strings lie there. */
typedef struct text_block {
    hid_t type; /* in memory */
    bool variable, blanks;
    size_t width;
    char *values;
    char *text; /* [width + 1] one of fixed length, ended */
} text_block;

static tr_status block_open(text_block *block, const tr_h5_file *file, const tr_h5_array *array,
                            tr_error *err)
{
    block->type = H5Dget_type(array->id);
    block->variable = H5Tis_variable_str(block->type) > 0;
    block->blanks = H5Tget_strpad(block->type) == H5T_STR_SPACEPAD;
    block->width = block->variable ? sizeof(char *) : H5Tget_size(block->type);
    if (block->type < 0 || block->width == 0 || block->width > LONGEST)
        return tr_fail(err, TR_ERR_DATA, "%s: %s is %s of %zu bytes each; expected at most %d",
                       file->path, array->name, array->text, block->width, LONGEST);
    if (array->outside || array->rank == 0)
        return tr_fail(
            err, TR_ERR_DATA, "%s: %s is %s%s; expected an array of strings in the file itself",
            file->path, array->name, array->text, array->outside ? " in another file" : "");
    block->values = tr_alloc(AT_A_TIME, block->width);
    block->text = tr_alloc(block->width + 1, 1);
    return block->values != NULL && block->text != NULL ? TR_OK : tr_out_of_memory(err, file->path);
}

static void block_close(text_block *block)
{
    tr_h5_close(block->type);
    tr_free(block->values);
    tr_free(block->text);
}

static const char *text_at(text_block *block, int64_t i)
{
    if (block->variable) {
        const char *text = ((char **)(void *)block->values)[i];
        return text == NULL ? "" : text;
    }
    const char *text = block->values + (size_t)i * block->width;
    size_t length = strnlen(text, block->width);
    while (block->blanks && length > 0 && text[length - 1] == ' ')
        length--;
    memcpy(block->text, text, length);
    block->text[length] = '\0';
    return block->text;
}

/* The strings of rows first .. first + n - 1, each row one string. */
static tr_status read_block(text_block *block, const tr_h5_file *file, const tr_h5_array *array,
                            int64_t first, int64_t n, tr_h5_text_taker *take, void *user,
                            tr_error *err)
{
    const int64_t start[TR_H5_RANK] = {first};
    int64_t count[TR_H5_RANK] = {n};
    for (int d = 1; d < array->rank; d++)
        count[d] = 1;
    memset(block->values, 0, AT_A_TIME * block->width);
    tr_status status =
        tr_h5_array_read_box(block->values, file, array, block->type, start, count, err);
    const bool read = status == TR_OK;
    for (int64_t i = 0; i < n && status == TR_OK; i++)
        status = take(user, first + i, text_at(block, i), err);
    if (block->variable && read) {
        const hsize_t items = (hsize_t)n;
        const hid_t space = H5Screate_simple(1, &items, NULL);
        H5Dvlen_reclaim(block->type, space, H5P_DEFAULT, block->values);
        tr_h5_close(space);
    }
    return status;
}

tr_status tr_h5_texts_read(const tr_h5_file *file, const tr_h5_array *array, tr_h5_text_taker *take,
                           void *user, tr_error *err)
{
    text_block block = {0};
    tr_status status = block_open(&block, file, array, err);
    if (status == TR_OK && array->n_elements != array->dims[0])
        status = tr_fail(err, TR_ERR_DATA, "%s: %s is %s; expected one string in each row, [n]",
                         file->path, array->name, array->text);
    for (int64_t first = 0; first < array->dims[0] && status == TR_OK; first += AT_A_TIME) {
        const int64_t left = array->dims[0] - first;
        status = read_block(&block, file, array, first, left < AT_A_TIME ? left : AT_A_TIME, take,
                            user, err);
    }
    block_close(&block);
    return status;
}
