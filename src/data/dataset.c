/* dataset.c -- opening a dataset: is the file what the configuration says it is?
 *
 * Each file is visited twice (dataset_visit.h): all are looked at, it is decided which images come
 * into memory and which stay where they are, then the values are read into memory that is shared
 * with the process that reads.
 */
#include "trainer/dataset.h"

#include <string.h>

#include "dataset_legend.h"
#include "dataset_room.h"
#include "mem.h"
#include "memory_limit.h"
#include "samples.h"
#include "target_rules.h"

struct tr_dataset {
    char *text[TR_N_PARTS][2]; /* path and name of the targets, for messages; NULL: no such part */
    tr_samples parts[TR_N_PARTS]; /* their arrays are of tr_shared_alloc() */
    tr_legend legend;
};

/* ---- visits ---- */

/* Whether the file of part i is that of a part before it. */
static bool seen_before(const tr_dataset_visit *visit, int i)
{
    for (int k = 0; k < i; k++)
        if (visit->names[k].path != NULL && strcmp(visit->names[k].path, visit->names[i].path) == 0)
            return true;
    return false;
}

static tr_status visit_once(tr_dataset_visit *visit, int i, tr_error *err)
{
    if (visit->names[i].path == NULL || seen_before(visit, i))
        return TR_OK;
    visit->part = i;
    return tr_dataset_visit_file(visit, err);
}

/* What was read from the same file through HDF5 and what will be read without are of one time. */
static tr_status check_unchanged(const tr_dataset *dataset, tr_error *err)
{
    for (int i = 0; i < TR_N_PARTS; i++)
        if (dataset->parts[i].streamed != NULL)
            TR_TRY(tr_raw_images_check(&dataset->parts[i].streamed->images, err));
    return TR_OK;
}

static tr_status read_all(tr_dataset *dataset, tr_dataset_visit *visit, tr_error *err)
{
    for (int i = 0; i < TR_N_PARTS; i++)
        TR_TRY(visit_once(visit, i, err));
    for (int i = 0; i < TR_N_PARTS; i++)
        if (visit->found[i].samples.n > 0)
            TR_TRY(tr_dataset_room_make(&dataset->parts[i], visit, i, err));
        else
            visit->names[i].path = NULL; /* a test part that is not there */
    visit->samples = dataset->parts;
    for (int i = 0; i < TR_N_PARTS; i++)
        TR_TRY(visit_once(visit, i, err));
    return check_unchanged(dataset, err);
}

/* ---- the legend ---- */

/* Of the first file that has one, or `known`, where that says something; class names of the others
 * must agree with it. */
static tr_status read_legend(tr_dataset *dataset, const tr_dataset_visit *visit,
                             const tr_data_config *data, const tr_legend *known, tr_error *err)
{
    const bool is_known = known != NULL && known->n_classes > 0;
    const char *whose = is_known ? "the model" : NULL;
    if (is_known)
        TR_TRY(tr_legend_copy(&dataset->legend, known, err));
    for (int i = 0; i < TR_N_PARTS; i++) {
        const tr_part_names *names = &visit->names[i];
        if (names->path == NULL || names->y == NULL || seen_before(visit, i))
            continue;
        tr_legend_place place = {names->path, visit->policy, data->class_names, whose != NULL, {0}};
        tr_legend found = {0};
        if (whose == NULL) {
            place.labels[0] = data->y_train; /* classes have the numbers of the training */
            place.labels[1] = names->y;
        }
        tr_status status = tr_dataset_legend_read(&found, &place, err);
        if (status == TR_OK)
            status = tr_legend_check_same(&found, names->path, &dataset->legend, whose, err);
        if (dataset->legend.pictures.h == 0)
            dataset->legend.pictures = found.pictures;
        if (status == TR_OK && whose == NULL && found.n_classes > 0) {
            whose = names->path;
            found.pictures = dataset->legend.pictures;
            status = tr_legend_copy(&dataset->legend, &found, err);
        }
        tr_legend_release(&found);
        TR_TRY(status);
    }
    return TR_OK;
}

/* ---- the dataset ---- */

/* One part with class numbers and another with values would be a network with two meanings. */
static tr_status check_same_form(const tr_dataset *dataset, tr_error *err)
{
    const tr_samples *train = &dataset->parts[TR_TRAIN];
    for (int i = TR_VALIDATION; train->n > 0 && i < TR_N_PARTS; i++) {
        const tr_samples *part = &dataset->parts[i];
        if (part->n > 0 && part->width != train->width)
            return tr_fail(err, TR_ERR_DATA,
                           "%s: %s has %lld numbers per sample, %s of the training images %lld; "
                           "they must agree",
                           dataset->text[i][0], dataset->text[i][1], (long long)part->width,
                           dataset->text[TR_TRAIN][1], (long long)train->width);
    }
    return TR_OK;
}

static void visit_free(tr_dataset_visit *visit)
{
    if (visit != NULL)
        tr_shared_free(visit->told);
    tr_free(visit);
}

static tr_dataset_visit *visit_new(const tr_part_names names[TR_N_PARTS], const tr_config *config,
                                   unsigned targets)
{
    tr_dataset_visit *visit = tr_alloc(1, sizeof *visit);
    if (visit == NULL)
        return NULL;
    memcpy(visit->names, names, sizeof visit->names);
    memcpy(visit->shape.hwc, config->input_shape, sizeof visit->shape.hwc);
    visit->shape.flat = config->input_flat;
    visit->policy = config->data.external_files ? TR_H5_DATASET_WITH_EXTERNAL : TR_H5_DATASET;
    visit->targets = targets;
    visit->memory = (tr_data_memory)config->data.memory;
    visit->memory_left = tr_memory_left();
    visit->told = tr_shared_alloc(TR_N_PARTS, sizeof *visit->told);
    if (visit->told != NULL)
        return visit;
    visit_free(visit);
    return NULL;
}

static bool keep_texts(tr_dataset *dataset, const tr_part_names names[TR_N_PARTS])
{
    for (int i = 0; i < TR_N_PARTS; i++) {
        if (names[i].path == NULL)
            continue;
        dataset->text[i][0] = tr_strdup(names[i].path);
        dataset->text[i][1] = tr_strdup(names[i].y == NULL ? "" : names[i].y);
        if (dataset->text[i][0] == NULL || dataset->text[i][1] == NULL)
            return false;
    }
    return true;
}

static tr_status open_parts(tr_dataset **out, const tr_part_names names[TR_N_PARTS],
                            const tr_config *config, unsigned targets, const tr_legend *known,
                            tr_error *err)
{
    tr_dataset *dataset = tr_alloc(1, sizeof *dataset);
    tr_dataset_visit *visit = visit_new(names, config, targets);
    tr_status status = TR_OK;
    if (dataset == NULL || visit == NULL || !keep_texts(dataset, names)) {
        status = tr_out_of_memory(err, NULL);
    } else {
        visit->legend = &dataset->legend;
        status = read_legend(dataset, visit, &config->data, known, err);
    }
    if (status == TR_OK)
        status = read_all(dataset, visit, err);
    if (status == TR_OK)
        status = check_same_form(dataset, err);
    visit_free(visit);
    if (status == TR_OK)
        *out = dataset;
    else
        tr_dataset_free(dataset);
    return status;
}

/* A name that may be empty. */
static const char *or_none(const char *name)
{
    return name == NULL || name[0] == '\0' ? NULL : name;
}

/* The test part may be missing only under its default names: one that the configuration names is
 * wanted. (The effective config.ini of a run spells the default names out and must repeat that run,
 * so "was the key given" cannot be the question.) */
static tr_part_names test_names(const tr_data_config *data)
{
    const char *file = or_none(data->test_file), *weights = or_none(data->sample_weight_test);
    return (tr_part_names){.path = file == NULL ? data->file : file,
                           .x = data->x_test,
                           .y = data->y_test,
                           .w = weights,
                           .optional = file == NULL && weights == NULL &&
                                       strcmp(data->x_test, "x_test") == 0 &&
                                       strcmp(data->y_test, "y_test") == 0};
}

static void all_names(tr_part_names names[TR_N_PARTS], const tr_data_config *data)
{
    names[TR_TRAIN] = (tr_part_names){data->file, data->x_train, data->y_train,
                                      or_none(data->sample_weight_train), false};
    names[TR_VALIDATION] =
        (tr_part_names){or_none(data->validation_file), data->x_validation, data->y_validation,
                        or_none(data->sample_weight_validation), false};
    names[TR_TEST] = test_names(data);
}

tr_status tr_dataset_open(tr_dataset **out, const tr_config *config, unsigned targets,
                          tr_error *err)
{
    tr_part_names names[TR_N_PARTS];
    all_names(names, &config->data);
    return open_parts(out, names, config, targets, NULL, err);
}

/* What one part takes: its labels, and its images where they are resident. */
static void add_part(tr_dataset_outline *out, const tr_dataset_visit *visit, int part)
{
    const tr_samples *seen = &visit->found[part].samples;
    const uint64_t n = (uint64_t)seen->n;
    out->n[part] = seen->n;
    if (n == 0)
        return;
    out->streamed[part] = !tr_dataset_room_is_resident(visit, part);
    out->image_bytes = tr_dataset_image_bytes(seen);
    if (!out->streamed[part])
        out->resident_bytes += n * out->image_bytes;
    out->resident_bytes +=
        n * sizeof(float) *
        (uint64_t)(visit->found[part].form == TR_TARGET_VALUES ? seen->width : 1);
    out->resident_bytes += visit->names[part].w != NULL ? n * sizeof(float) : 0;
}

tr_status tr_dataset_look(tr_dataset_outline *out, const tr_config *config, unsigned targets,
                          tr_error *err)
{
    tr_part_names names[TR_N_PARTS];
    all_names(names, &config->data);
    tr_dataset_visit *visit = visit_new(names, config, targets);
    tr_status status = visit == NULL ? tr_out_of_memory(err, NULL) : TR_OK;
    *out = (tr_dataset_outline){0};
    for (int i = 0; i < TR_N_PARTS && status == TR_OK; i++)
        status = visit_once(visit, i, err);
    for (int i = 0; i < TR_N_PARTS && status == TR_OK; i++)
        add_part(out, visit, i);
    visit_free(visit);
    return status;
}

tr_status tr_dataset_open_test(tr_dataset **out, const tr_config *config, unsigned targets,
                               const tr_legend *known, tr_error *err)
{
    const tr_part_names names[TR_N_PARTS] = {[TR_TEST] = test_names(&config->data)};
    return open_parts(out, names, config, targets, known, err);
}

tr_status tr_dataset_open_images(tr_dataset **out, const char *path, const char *name,
                                 const tr_config *config, tr_error *err)
{
    const tr_part_names names[TR_N_PARTS] = {[TR_TEST] = {path, name, NULL, NULL, false}};
    return open_parts(out, names, config, 0, NULL, err);
}

void tr_dataset_free(tr_dataset *dataset)
{
    if (dataset == NULL)
        return;
    for (int i = 0; i < TR_N_PARTS; i++) {
        tr_dataset_room_release(&dataset->parts[i]);
        tr_free(dataset->text[i][0]);
        tr_free(dataset->text[i][1]);
    }
    tr_legend_release(&dataset->legend);
    tr_free(dataset);
}

const tr_samples *tr_dataset_train(const tr_dataset *dataset)
{
    return &dataset->parts[TR_TRAIN];
}

const tr_samples *tr_dataset_validation(const tr_dataset *dataset)
{
    return &dataset->parts[TR_VALIDATION];
}

const tr_samples *tr_dataset_test(const tr_dataset *dataset)
{
    return &dataset->parts[TR_TEST];
}

const tr_legend *tr_dataset_legend(const tr_dataset *dataset)
{
    return &dataset->legend;
}

tr_status tr_dataset_check_targets(const tr_dataset *dataset, const tr_target_rules *rules,
                                   tr_error *err)
{
    for (int i = 0; i < TR_N_PARTS; i++) {
        const tr_samples *samples = &dataset->parts[i];
        const char *const text[2] = {dataset->text[i][0], dataset->text[i][1]};
        TR_TRY(tr_targets_check_rules(text, samples, rules, err));
    }
    return TR_OK;
}
