/* h5_legend.c -- see h5_legend.h. */
#include "h5_legend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h5_attributes.h"
#include "h5_texts.h"
#include "h5_write.h"
#include "mem.h"
#include "utf8.h"

/* ---- reading, in a child ---- */

static tr_status take_name(void *user, int64_t i, const char *text, tr_error *err)
{
    tr_told_legend *told = user;
    (void)err;
    tr_utf8_clean(told->class_names[i], sizeof told->class_names[i], text);
    return TR_OK;
}

static tr_status read_numbers(tr_told_legend *told, const tr_h5_file *file,
                              const tr_h5_array *array, tr_error *err)
{
    int64_t *numbers = tr_alloc((size_t)array->n_elements, sizeof *numbers);
    if (numbers == NULL)
        return tr_out_of_memory(err, file->path);
    const tr_status status = tr_h5_array_read(numbers, file, array, H5T_NATIVE_INT64, err);
    for (int64_t i = 0; status == TR_OK && i < array->n_elements; i++)
        snprintf(told->class_names[i], sizeof told->class_names[i], "%lld", (long long)numbers[i]);
    tr_free(numbers);
    return status;
}

tr_status tr_h5_legend_read_names(tr_told_legend *told, const tr_h5_file *file, const char *name,
                                  tr_error *err)
{
    tr_h5_array array;
    tr_status status = tr_h5_array_open_any(&array, file, name, err);
    if (status == TR_OK &&
        (array.is_float || array.rank == 0 || array.n_elements != array.dims[0] ||
         array.n_elements > TR_CLASS_NAMES_MAX))
        status = tr_fail(err, TR_ERR_DATA,
                         "%s: %s is %s; expected the names of the classes, strings [n], of at most "
                         "%d",
                         file->path, name, array.text, TR_CLASS_NAMES_MAX);
    if (status == TR_OK)
        status = array.is_text ? tr_h5_texts_read(file, &array, take_name, told, err)
                               : read_numbers(told, file, &array, err);
    if (status == TR_OK)
        told->n_classes = array.n_elements;
    tr_h5_array_close(&array);
    return status;
}

/* "64x48" of plain numbers. */
static bool read_size(const char *text, tr_picture_making *pictures)
{
    char *end, *rest;
    const long long h = strtoll(text, &end, 10);
    const long long w = *end == 'x' ? strtoll(end + 1, &rest, 10) : 0;
    if (*end != 'x' || *rest != '\0')
        return false;
    pictures->h = h;
    pictures->w = w;
    return true;
}

static bool are_possible(const tr_picture_making *pictures)
{
    enum { LONGEST = 65536 };
    return pictures->h > 0 && pictures->h <= LONGEST && pictures->w > 0 && pictures->w <= LONGEST &&
           (pictures->channels == 1 || pictures->channels == 3) &&
           (strcmp(pictures->fit, "crop") == 0 || strcmp(pictures->fit, "pad") == 0 ||
            strcmp(pictures->fit, "stretch") == 0);
}

tr_status tr_h5_legend_read_pictures(tr_told_legend *told, const tr_h5_file *file,
                                     const char *group_name, tr_error *err)
{
    char size[64];
    hid_t group;
    tr_picture_making pictures = {0};
    TR_TRY(tr_h5_group_open(&group, file, group_name, err));
    const bool has = H5Aexists(group, "picture_size") > 0;
    const bool ok = has && tr_h5_read_text(group, "picture_size", size, sizeof size) &&
                    read_size(size, &pictures) &&
                    tr_h5_read_text(group, "picture_fit", pictures.fit, sizeof pictures.fit) &&
                    tr_h5_read_int(group, "picture_channels", &pictures.channels) &&
                    are_possible(&pictures);
    tr_h5_close(group);
    if (has && !ok)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: its attributes picture_size, picture_fit and picture_channels do not "
                       "say how pictures were made; expected \"64x48\", crop, pad or stretch, and "
                       "1 or 3",
                       file->path);
    if (ok)
        told->pictures = pictures;
    return TR_OK;
}

/* ---- in the parent ---- */

tr_status tr_legend_believe(tr_legend *out, const tr_told_legend *told, tr_error *err)
{
    tr_legend legend = {0};
    if (told->n_classes < 0 || told->n_classes > TR_CLASS_NAMES_MAX)
        return tr_fail(err, TR_ERR_DATA, "the reader of class names told nonsense");
    legend.class_names = tr_alloc((size_t)told->n_classes, sizeof *legend.class_names);
    if (legend.class_names == NULL)
        return tr_out_of_memory(err, NULL);
    for (; legend.n_classes < told->n_classes; legend.n_classes++) {
        char ended[TR_CLASS_NAME_MAX], clean[TR_CLASS_NAME_MAX];
        memcpy(ended, told->class_names[legend.n_classes], sizeof ended);
        ended[sizeof ended - 1] = '\0';
        tr_utf8_clean(clean, sizeof clean, ended);
        legend.class_names[legend.n_classes] = tr_strdup(clean);
        if (legend.class_names[legend.n_classes] == NULL) {
            tr_legend_release(&legend);
            return tr_out_of_memory(err, NULL);
        }
    }
    legend.pictures = told->pictures;
    legend.pictures.fit[sizeof legend.pictures.fit - 1] = '\0';
    if (!are_possible(&legend.pictures))
        legend.pictures = (tr_picture_making){0};
    *out = legend;
    return TR_OK;
}

/* ---- writing ---- */

static tr_status write_pictures(hid_t group, const tr_picture_making *pictures, tr_error *err)
{
    char size[64];
    snprintf(size, sizeof size, "%lldx%lld", (long long)pictures->h, (long long)pictures->w);
    return tr_h5_write_text(group, "picture_size", size, H5T_CSET_ASCII) &&
                   tr_h5_write_text(group, "picture_fit", pictures->fit, H5T_CSET_ASCII) &&
                   tr_h5_write_int(group, "picture_channels", pictures->channels)
               ? TR_OK
               : tr_h5_write_failed(err, "picture_size");
}

tr_status tr_h5_legend_write(hid_t group, const tr_legend *legend, tr_error *err)
{
    if (legend->n_classes > 0)
        TR_TRY(tr_h5_write_texts(group, "class_names", (const char *const *)legend->class_names,
                                 legend->n_classes, err));
    return legend->pictures.h == 0 ? TR_OK : write_pictures(group, &legend->pictures, err);
}
