/* dataset.c -- opening a dataset: is the file what the configuration says it is?
 *
 * Two visits to each file, both in a child process (base/child.h): the first looks at all arrays,
 * so that a wrong shape costs milliseconds and the room for the values can be made where both
 * processes see it; the second reads and checks the values. Streaming a dataset larger than memory
 * is refused.
 */
#include "trainer/dataset.h"

#include <string.h>

#include "child.h"
#include "images.h"
#include "mem.h"
#include "target_array.h"
#include "target_rules.h"
#include "weight_array.h"

enum { TRAIN, VALIDATION, TEST, N_PARTS };

/* Where a part comes from. */
typedef struct part_names {
    const char *path, *x, *y; /* y NULL: images alone */
    const char *w;            /* weights; NULL: none */
} part_names;

struct tr_dataset {
    char *text[N_PARTS][2];    /* path and name of the targets, for messages; NULL: no such part */
    tr_samples parts[N_PARTS]; /* their arrays are of tr_shared_alloc() */
};

/* ---- a part: images and their targets ---- */

typedef struct sample_part {
    tr_h5_array x, y, w;
    tr_samples samples; /* without arrays */
    tr_target form;
} sample_part;

static void part_close(sample_part *part)
{
    tr_h5_array_close(&part->x);
    tr_h5_array_close(&part->y);
    tr_h5_array_close(&part->w);
}

/* Opens and checks all but the values. Close also after a failure. */
static tr_status part_open(sample_part *out, tr_h5_file *file, const part_names *names,
                           const tr_input_shape *shape, unsigned targets, tr_error *err)
{
    const int64_t *hwc = shape->hwc;
    TR_TRY(tr_h5_array_open(&out->x, file, names->x, err));
    TR_TRY(tr_images_check(file, &out->x, shape, err));
    out->samples = (tr_samples){.n = out->x.dims[0],
                                .h = hwc[0],
                                .w = hwc[1],
                                .c = hwc[2],
                                .pixel = out->x.is_uint8 ? TR_PIXEL_U8 : TR_PIXEL_F32};
    if (names->y != NULL) {
        TR_TRY(tr_h5_array_open(&out->y, file, names->y, err));
        TR_TRY(tr_targets_check(file, &out->y, &out->x, targets, &out->form, &out->samples.width,
                                err));
        TR_TRY(tr_h5_array_reserve(file, &out->y, tr_targets_item_bytes(out->form), err));
    }
    if (names->w != NULL) {
        TR_TRY(tr_h5_array_open(&out->w, file, names->w, err));
        TR_TRY(tr_weights_check(file, &out->w, &out->x, err));
        TR_TRY(tr_h5_array_reserve(file, &out->w, sizeof(float), err));
    }
    return tr_h5_array_reserve(file, &out->x, tr_pixel_bytes(out->samples.pixel), err);
}

/* Fills the arrays of `samples`, which the first visit to the file described. */
static tr_status part_read(const sample_part *part, const tr_samples *samples,
                           const tr_h5_file *file, tr_error *err)
{
    if (part->samples.n != samples->n || part->samples.pixel != samples->pixel ||
        part->samples.width != samples->width)
        return tr_fail(err, TR_ERR_DATA, "%s: %s was changed while it was being read", file->path,
                       part->x.name);
    if (samples->y != NULL || samples->values != NULL)
        TR_TRY(tr_targets_read(samples, file, &part->y, err));
    if (samples->weights != NULL)
        TR_TRY(tr_weights_read(samples, file, &part->w, err));
    return tr_images_read(samples, file, &part->x, err);
}

/* ---- a visit to a file, in a child ---- */

/* What a first visit tells, in shared memory: to be checked before it is believed. */
typedef struct found_parts {
    tr_samples parts[N_PARTS];
    tr_target forms[N_PARTS];
} found_parts;

typedef struct file_visit {
    part_names names[N_PARTS]; /* path NULL: not there */
    tr_input_shape shape;
    tr_h5_policy policy;
    unsigned targets;
    int part; /* first look: all parts from here on that lie in the same file */
    found_parts *found;
    const tr_samples *parts; /* whose arrays the second visit fills; NULL: the first */
} file_visit;

/* The test part may be missing, but only whole, and only under its default names: one that the
 * configuration names is wanted. (The effective config.ini of a run spells the default names out
 * and must repeat that run, so "was the key given" cannot be the question.) */
static tr_status test_is_wanted(const tr_h5_file *file, const part_names *names, bool *wanted,
                                tr_error *err)
{
    *wanted = true;
    if (strcmp(names->x, "x_test") != 0 || names->y == NULL || strcmp(names->y, "y_test") != 0 ||
        names->w != NULL)
        return TR_OK;
    bool has_x = false, has_y = false;
    TR_TRY(tr_h5_file_has(file, names->x, &has_x, err));
    TR_TRY(tr_h5_file_has(file, names->y, &has_y, err));
    *wanted = has_x || has_y; /* one without the other then fails to open, by name */
    return TR_OK;
}

static tr_status visit_part(file_visit *visit, int i, tr_h5_file *file, tr_error *err)
{
    sample_part part = {0};
    bool wanted = true;
    if (i == TEST)
        TR_TRY(test_is_wanted(file, &visit->names[i], &wanted, err));
    if (!wanted)
        return TR_OK;
    tr_status status = part_open(&part, file, &visit->names[i], &visit->shape, visit->targets, err);
    if (status == TR_OK && visit->parts != NULL)
        status = part_read(&part, &visit->parts[i], file, err);
    if (status == TR_OK && visit->parts == NULL) {
        visit->found->parts[i] = part.samples;
        visit->found->forms[i] = part.form;
    }
    part_close(&part);
    return status;
}

static bool in_same_file(const file_visit *visit, int i)
{
    const char *path = visit->names[i].path;
    return path != NULL && strcmp(path, visit->names[visit->part].path) == 0;
}

static tr_status visit_file(void *job, tr_error *err)
{
    file_visit *visit = job;
    tr_h5_file file = {0};
    tr_status status = tr_h5_file_open(&file, visit->names[visit->part].path, visit->policy, err);
    for (int i = visit->part; i < N_PARTS && status == TR_OK; i++)
        if (in_same_file(visit, i))
            status = visit_part(visit, i, &file, err);
    tr_h5_file_close(&file);
    return status;
}

/* ---- the dataset ---- */

static void samples_release(tr_samples *samples)
{
    tr_shared_free((void *)samples->x);
    tr_shared_free((void *)samples->y);
    tr_shared_free((void *)samples->values);
    tr_shared_free((void *)samples->weights);
    *samples = (tr_samples){0};
}

/* The child that told it had a foreign file in its hands. */
static bool plausible(const tr_samples *seen, tr_target form, const file_visit *visit, int i)
{
    int64_t numbers;
    const bool classes = form == TR_TARGET_CLASSES, values = form == TR_TARGET_VALUES;
    return seen->n > 0 && seen->n <= UINT32_MAX && seen->h == visit->shape.hwc[0] &&
           seen->w == visit->shape.hwc[1] && seen->c == visit->shape.hwc[2] &&
           (seen->pixel == TR_PIXEL_U8 || seen->pixel == TR_PIXEL_F32) &&
           (visit->names[i].y == NULL ? form == 0 : classes || values) &&
           (!values ||
            (seen->width > 0 && !__builtin_mul_overflow(seen->n, seen->width, &numbers)));
}

/* Makes room for what was `seen`; *samples has arrays only of that size. */
static tr_status samples_allocate(tr_samples *samples, const tr_samples *seen, tr_target form,
                                  const part_names *names, tr_error *err)
{
    if (seen->n == 0)
        return TR_OK;
    *samples = (tr_samples){.n = seen->n,
                            .h = seen->h,
                            .w = seen->w,
                            .c = seen->c,
                            .pixel = seen->pixel,
                            .width = seen->width};
    const size_t image_bytes = (size_t)(seen->h * seen->w * seen->c) * tr_pixel_bytes(seen->pixel);
    const bool classes = form == TR_TARGET_CLASSES, values = form == TR_TARGET_VALUES;
    if (classes)
        samples->y = tr_shared_alloc((size_t)seen->n, sizeof *samples->y);
    if (values)
        samples->values =
            tr_shared_alloc((size_t)seen->n, (size_t)seen->width * sizeof *samples->values);
    if (names->w != NULL)
        samples->weights = tr_shared_alloc((size_t)seen->n, sizeof *samples->weights);
    samples->x = tr_shared_alloc((size_t)seen->n, image_bytes);
    if (samples->x == NULL || (classes && samples->y == NULL) ||
        (values && samples->values == NULL) || (names->w != NULL && samples->weights == NULL))
        return tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory for %lld images, %.3f GiB",
                       names->path, (long long)seen->n,
                       (double)seen->n * (double)image_bytes * 0x1p-30);
    return TR_OK;
}

/* Both visits to the file of part `first`. */
static tr_status read_file(tr_dataset *dataset, file_visit *visit, int first, tr_error *err)
{
    const char *path = visit->names[first].path;
    const char *only_file = visit->policy == TR_H5_DATASET_WITH_EXTERNAL ? NULL : path;
    visit->part = first;
    visit->parts = NULL;
    TR_TRY(tr_in_child_reaching(only_file, visit_file, visit, path, err));
    const found_parts found = *visit->found;
    bool any = false;
    for (int i = first; i < N_PARTS; i++) {
        const tr_samples *seen = &found.parts[i];
        if (!in_same_file(visit, i))
            continue;
        if (seen->n != 0 && !plausible(seen, found.forms[i], visit, i))
            return tr_fail(err, TR_ERR_DATA, "%s: %s: its reader told nonsense: is it damaged?",
                           path, visit->names[i].x);
        TR_TRY(samples_allocate(&dataset->parts[i], seen, found.forms[i], &visit->names[i], err));
        if (seen->n == 0)
            visit->names[i].path = NULL; /* a test part that is not there */
        any = any || seen->n > 0;
    }
    if (!any)
        return TR_OK;
    visit->parts = dataset->parts;
    return tr_in_child_reaching(only_file, visit_file, visit, path, err);
}

static bool seen_before(const file_visit *visit, int i)
{
    for (int k = 0; k < i; k++)
        if (visit->names[k].path != NULL && strcmp(visit->names[k].path, visit->names[i].path) == 0)
            return true;
    return false;
}

static tr_status read_all(tr_dataset *dataset, file_visit *visit, tr_error *err)
{
    for (int i = 0; i < N_PARTS; i++)
        if (visit->names[i].path != NULL && !seen_before(visit, i))
            TR_TRY(read_file(dataset, visit, i, err));
    return TR_OK;
}

/* One part with class numbers and another with values would be a network with two meanings. */
static tr_status check_same_form(const tr_dataset *dataset, tr_error *err)
{
    const tr_samples *train = &dataset->parts[TRAIN];
    for (int i = VALIDATION; train->n > 0 && i < N_PARTS; i++) {
        const tr_samples *part = &dataset->parts[i];
        if (part->n > 0 && part->width != train->width)
            return tr_fail(err, TR_ERR_DATA,
                           "%s: %s has %lld numbers per sample, %s of the training images %lld; "
                           "they must agree",
                           dataset->text[i][0], dataset->text[i][1], (long long)part->width,
                           dataset->text[TRAIN][1], (long long)train->width);
    }
    return TR_OK;
}

static tr_status open_parts(tr_dataset **out, const part_names names[N_PARTS],
                            const tr_config *config, unsigned targets, tr_error *err)
{
    tr_dataset *dataset = tr_alloc(1, sizeof *dataset);
    file_visit *visit = tr_alloc(1, sizeof *visit);
    found_parts *found = tr_shared_alloc(1, sizeof *found);
    bool complete = dataset != NULL && visit != NULL && found != NULL;
    for (int i = 0; i < N_PARTS && complete; i++) {
        visit->names[i] = names[i];
        if (names[i].path == NULL)
            continue;
        dataset->text[i][0] = tr_strdup(names[i].path);
        dataset->text[i][1] = tr_strdup(names[i].y == NULL ? "" : names[i].y);
        complete = dataset->text[i][0] != NULL && dataset->text[i][1] != NULL;
    }
    tr_status status = TR_OK;
    if (!complete) {
        status = tr_out_of_memory(err, NULL);
    } else {
        visit->found = found;
        memcpy(visit->shape.hwc, config->input_shape, sizeof visit->shape.hwc);
        visit->shape.flat = config->input_flat;
        visit->policy = config->data.external_files ? TR_H5_DATASET_WITH_EXTERNAL : TR_H5_DATASET;
        visit->targets = targets;
        status = read_all(dataset, visit, err);
    }
    if (status == TR_OK)
        status = check_same_form(dataset, err);
    tr_shared_free(found);
    tr_free(visit);
    if (status != TR_OK) {
        tr_dataset_free(dataset);
        return status;
    }
    *out = dataset;
    return TR_OK;
}

/* A name that may be empty. */
static const char *or_none(const char *name)
{
    return name == NULL || name[0] == '\0' ? NULL : name;
}

static part_names test_names(const tr_data_config *data)
{
    return (part_names){data->file, data->x_test, data->y_test, or_none(data->sample_weight_test)};
}

tr_status tr_dataset_open(tr_dataset **out, const tr_config *config, unsigned targets,
                          tr_error *err)
{
    const tr_data_config *data = &config->data;
    const part_names names[N_PARTS] = {
        [TRAIN] = {data->file, data->x_train, data->y_train, or_none(data->sample_weight_train)},
        [VALIDATION] = {or_none(data->validation_file), data->x_validation, data->y_validation,
                        or_none(data->sample_weight_validation)},
        [TEST] = test_names(data)};
    return open_parts(out, names, config, targets, err);
}

tr_status tr_dataset_open_test(tr_dataset **out, const tr_config *config, unsigned targets,
                               tr_error *err)
{
    const part_names names[N_PARTS] = {[TEST] = test_names(&config->data)};
    return open_parts(out, names, config, targets, err);
}

tr_status tr_dataset_open_images(tr_dataset **out, const char *path, const char *name,
                                 const tr_config *config, tr_error *err)
{
    const part_names names[N_PARTS] = {[TEST] = {path, name, NULL, NULL}};
    return open_parts(out, names, config, 0, err);
}

void tr_dataset_free(tr_dataset *dataset)
{
    if (dataset == NULL)
        return;
    for (int i = 0; i < N_PARTS; i++) {
        samples_release(&dataset->parts[i]);
        tr_free(dataset->text[i][0]);
        tr_free(dataset->text[i][1]);
    }
    tr_free(dataset);
}

const tr_samples *tr_dataset_train(const tr_dataset *dataset)
{
    return &dataset->parts[TRAIN];
}

const tr_samples *tr_dataset_validation(const tr_dataset *dataset)
{
    return &dataset->parts[VALIDATION];
}

const tr_samples *tr_dataset_test(const tr_dataset *dataset)
{
    return &dataset->parts[TEST];
}

tr_status tr_dataset_check_targets(const tr_dataset *dataset, const tr_target_rules *rules,
                                   tr_error *err)
{
    for (int i = 0; i < N_PARTS; i++) {
        const tr_samples *samples = &dataset->parts[i];
        const char *const text[2] = {dataset->text[i][0], dataset->text[i][1]};
        TR_TRY(tr_targets_check_rules(text, samples, rules, err));
    }
    return TR_OK;
}
