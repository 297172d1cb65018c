/* dataset_visit.c -- see dataset_visit.h. */
#include "dataset_visit.h"

#include <string.h>

#include "child.h"
#include "target_array.h"
#include "weight_array.h"

/* ---- a part: images and their targets ---- */

typedef struct sample_part {
    tr_h5_array x, y, w;
    tr_found_part found;
} sample_part;

static void part_close(sample_part *part)
{
    tr_h5_array_close(&part->x);
    tr_h5_array_close(&part->y);
    tr_h5_array_close(&part->w);
}

/* Whether the images can be where they are wanted. */
static tr_status check_memory(const sample_part *part, const tr_dataset_visit *visit,
                              tr_h5_file *file, tr_error *err)
{
    const tr_h5_place place = part->found.place;
    if (place == TR_H5_IN_ONE_PIECE && visit->memory != TR_MEMORY_RESIDENT)
        return TR_OK; /* the caller decides */
    if (visit->memory == TR_MEMORY_STREAMED && place != TR_H5_IN_HEADER)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s: [data] memory = streamed reads images that lie in one piece "
                       "as uint8 or float32, but %s; `trainer convert h5 %s NEW.h5` makes a file "
                       "with them, or use memory = resident",
                       file->path, part->x.name, part->x.text, tr_h5_place_text(place), file->path);
    tr_error reason;
    const tr_status status =
        tr_h5_array_reserve(file, &part->x, tr_pixel_bytes(part->found.samples.pixel), &reason);
    if (status == TR_OK)
        return TR_OK;
    if (place == TR_H5_IN_ONE_PIECE)
        return tr_fail(err, status, "%.7000s; [data] memory = streamed needs little", reason.text);
    return tr_fail(err, status,
                   "%.7000s; %s: `trainer convert h5 %.500s NEW.h5` makes a file that can be "
                   "streamed",
                   reason.text, tr_h5_place_text(place), file->path);
}

static tr_status open_images(sample_part *out, tr_h5_file *file, const char *name,
                             const tr_dataset_visit *visit, tr_error *err)
{
    const int64_t *hwc = visit->shape.hwc;
    char text[2 * TR_H5_TEXT];
    TR_TRY(tr_h5_array_open(&out->x, file, name, err));
    TR_TRY(tr_images_check(file, &out->x, &visit->shape, err));
    out->found.samples = (tr_samples){.n = out->x.dims[0],
                                      .h = hwc[0],
                                      .w = hwc[1],
                                      .c = hwc[2],
                                      .pixel = out->x.is_uint8 ? TR_PIXEL_U8 : TR_PIXEL_F32};
    out->found.place = tr_h5_array_place(
        &out->x, file, out->x.is_uint8 ? H5T_NATIVE_UINT8 : H5T_NATIVE_FLOAT, &out->found.offset);
    const char *fault = out->found.place == TR_H5_IN_ONE_PIECE
                            ? tr_h5_array_fault(&out->x, text, sizeof text)
                            : NULL;
    return fault == NULL ? TR_OK : tr_h5_array_fail(file, &out->x, fault, err);
}

/* Opens and checks all but the values. Close also after a failure. */
static tr_status part_open(sample_part *out, tr_h5_file *file, const tr_part_names *names,
                           const tr_dataset_visit *visit, tr_error *err)
{
    TR_TRY(open_images(out, file, names->x, visit, err));
    if (names->y != NULL) {
        TR_TRY(tr_h5_array_open_any(&out->y, file, names->y, err));
        TR_TRY(tr_targets_check(file, &out->y, &out->x, visit->targets, &out->found.form,
                                &out->found.samples.width, err));
        TR_TRY(tr_h5_array_reserve(file, &out->y, tr_targets_item_bytes(out->found.form), err));
    }
    if (names->w != NULL) {
        TR_TRY(tr_h5_array_open(&out->w, file, names->w, err));
        TR_TRY(tr_weights_check(file, &out->w, &out->x, err));
        TR_TRY(tr_h5_array_reserve(file, &out->w, sizeof(float), err));
    }
    return check_memory(out, visit, file, err);
}

/* Fills the arrays of `samples`, which the first visit to the file described. */
static tr_status part_read(const sample_part *part, const tr_found_part *before,
                           const tr_samples *samples, const tr_legend *legend,
                           const tr_h5_file *file, tr_error *err)
{
    const tr_samples *now = &part->found.samples;
    if (now->n != samples->n || now->pixel != samples->pixel || now->width != samples->width ||
        part->found.place != before->place || part->found.offset != before->offset)
        return tr_fail(err, TR_ERR_DATA, "%s: %s was changed while it was being read", file->path,
                       part->x.name);
    if (samples->y != NULL || samples->values != NULL)
        TR_TRY(tr_targets_read(samples, file, &part->y, legend, err));
    if (samples->weights != NULL)
        TR_TRY(tr_weights_read(samples, file, &part->w, err));
    return samples->x == NULL ? TR_OK : tr_images_read(samples, file, &part->x, err);
}

/* ---- a visit to a file, in a child ---- */

static tr_status is_wanted(const tr_h5_file *file, const tr_part_names *names, bool *wanted,
                           tr_error *err)
{
    *wanted = true;
    if (!names->optional)
        return TR_OK;
    bool has_x = false, has_y = false;
    TR_TRY(tr_h5_file_has(file, names->x, &has_x, err));
    TR_TRY(tr_h5_file_has(file, names->y, &has_y, err));
    *wanted = has_x || has_y; /* one without the other then fails to open, by name */
    return TR_OK;
}

static tr_status visit_part(tr_dataset_visit *visit, int i, tr_h5_file *file, tr_error *err)
{
    sample_part part = {0};
    bool wanted;
    TR_TRY(is_wanted(file, &visit->names[i], &wanted, err));
    if (!wanted)
        return TR_OK;
    tr_status status = part_open(&part, file, &visit->names[i], visit, err);
    if (status == TR_OK && visit->samples != NULL)
        status = part_read(&part, &visit->found[i], &visit->samples[i], visit->legend, file, err);
    if (status == TR_OK && visit->samples == NULL)
        visit->told[i] = part.found;
    part_close(&part);
    return status;
}

bool tr_dataset_visit_reaches(const tr_dataset_visit *visit, int i)
{
    const char *path = visit->names[i].path;
    return path != NULL && strcmp(path, visit->names[visit->part].path) == 0;
}

static tr_status visit_file(void *job, tr_error *err)
{
    tr_dataset_visit *visit = job;
    tr_h5_file file = {0};
    tr_status status = tr_h5_file_open(&file, visit->names[visit->part].path, visit->policy, err);
    file.bytes_left = visit->memory_left;
    for (int i = visit->part; i < TR_N_PARTS && status == TR_OK; i++)
        if (tr_dataset_visit_reaches(visit, i))
            status = visit_part(visit, i, &file, err);
    tr_h5_file_close(&file);
    return status;
}

/* ---- outside of the child ---- */

/* The child that told it had a foreign file in its hands. */
static bool plausible(const tr_dataset_visit *visit, int i, const tr_found_part *told)
{
    const tr_samples *seen = &told->samples;
    const tr_target form = told->form;
    int64_t numbers;
    const bool classes = form == TR_TARGET_CLASSES, values = form == TR_TARGET_VALUES;
    if (seen->n == 0)
        return visit->names[i].optional;
    return seen->n > 0 && seen->n <= UINT32_MAX && seen->h == visit->shape.hwc[0] &&
           seen->w == visit->shape.hwc[1] && seen->c == visit->shape.hwc[2] &&
           (seen->pixel == TR_PIXEL_U8 || seen->pixel == TR_PIXEL_F32) &&
           (unsigned)told->place < TR_H5_N_PLACES &&
           (visit->names[i].y == NULL ? form == 0 : classes || values) &&
           (values || seen->width == (classes ? 1 : 0)) &&
           (!values ||
            (seen->width > 0 && !__builtin_mul_overflow(seen->n, seen->width, &numbers)));
}

/* Copies before it checks: `told` is memory that a child of a file to come can write, too. */
static tr_status believe(tr_dataset_visit *visit, const char *path, tr_error *err)
{
    for (int i = visit->part; i < TR_N_PARTS; i++) {
        const tr_found_part told = visit->told[i];
        if (!tr_dataset_visit_reaches(visit, i))
            continue;
        if (!plausible(visit, i, &told))
            return tr_fail(err, TR_ERR_DATA, "%s: %s: its reader told nonsense: is it damaged?",
                           path, visit->names[i].x);
        visit->found[i] = told;
    }
    return TR_OK;
}

tr_status tr_dataset_visit_file(tr_dataset_visit *visit, tr_error *err)
{
    const bool is_first = visit->samples == NULL;
    const char *path = visit->names[visit->part].path;
    const char *only_file = visit->policy == TR_H5_DATASET_WITH_EXTERNAL ? NULL : path;
    memset(visit->told, 0, TR_N_PARTS * sizeof *visit->told);
    TR_TRY(tr_in_child_reaching(only_file, visit_file, visit, path, err));
    return is_first ? believe(visit, path, err) : TR_OK;
}
