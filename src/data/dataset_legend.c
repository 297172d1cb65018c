/* dataset_legend.c -- see dataset_legend.h. */
#include "dataset_legend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "h5_legend.h"
#include "h5_texts.h"
#include "mem.h"
#include "utf8.h"

/* ---- names in order ---- */

/* By bytes, which for UTF-8 is by characters. */
typedef struct class_name {
    const char *name;
    int64_t class;
} class_name;

/* The first place in sorted[n] whose name is not before `text`. */
static int64_t place_of(const class_name *sorted, int64_t n, const char *text)
{
    int64_t low = 0, high = n;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (strcmp(sorted[middle].name, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const class_name *sorted, int64_t n, int64_t place, const char *text)
{
    return place < n && strcmp(sorted[place].name, text) == 0;
}

/* ---- labels are names ---- */

static tr_status check_label(const tr_h5_file *file, const tr_h5_array *labels, int64_t i,
                             const char *text, tr_error *err)
{
    char clean[TR_CLASS_NAME_MAX];
    tr_utf8_clean(clean, sizeof clean, text);
    if (text[0] != '\0' && strcmp(clean, text) == 0)
        return TR_OK;
    return tr_fail(err, TR_ERR_DATA,
                   "%s: %s is %s and holds \"%s\" at index %lld, which names no class; expected "
                   "UTF-8 of 1 to %d bytes without control characters",
                   file->path, labels->name, labels->text, clean, (long long)i,
                   TR_CLASS_NAME_MAX - 1);
}

/* Distinct labels so far. */
typedef struct label_set {
    const tr_h5_file *file;
    const tr_h5_array *labels;
    tr_told_legend *told; /* as they came */
    class_name *sorted;   /* [told->n_classes] */
} label_set;

static tr_status add_label(void *user, int64_t i, const char *text, tr_error *err)
{
    label_set *set = user;
    tr_told_legend *told = set->told;
    TR_TRY(check_label(set->file, set->labels, i, text, err));
    const int64_t n = told->n_classes, at = place_of(set->sorted, n, text);
    if (is_at(set->sorted, n, at, text))
        return TR_OK;
    if (n == TR_CLASS_NAMES_MAX)
        return tr_fail(err, TR_ERR_DATA, "%s: %s is %s of more than %d different ones",
                       set->file->path, set->labels->name, set->labels->text, TR_CLASS_NAMES_MAX);
    snprintf(told->class_names[n], sizeof told->class_names[n], "%s", text);
    memmove(&set->sorted[at + 1], &set->sorted[at], (size_t)(n - at) * sizeof *set->sorted);
    set->sorted[at] = (class_name){told->class_names[n], n};
    told->n_classes++;
    return TR_OK;
}

/* The names themselves into the order that was found. */
static tr_status sort_names(label_set *set, tr_error *err)
{
    tr_told_legend *told = set->told;
    const size_t n = (size_t)told->n_classes, width = sizeof told->class_names[0];
    char(*sorted)[TR_CLASS_NAME_MAX] = tr_alloc(n, width);
    if (sorted == NULL)
        return tr_out_of_memory(err, set->file->path);
    for (size_t k = 0; k < n; k++)
        memcpy(sorted[k], set->sorted[k].name, width);
    memcpy(told->class_names, sorted, n * width);
    tr_free(sorted);
    return TR_OK;
}

static tr_status collect_labels(tr_told_legend *told, const tr_h5_file *file,
                                const tr_h5_array *labels, tr_error *err)
{
    label_set set = {.file = file, .labels = labels, .told = told};
    set.sorted = tr_alloc(TR_CLASS_NAMES_MAX, sizeof *set.sorted);
    if (set.sorted == NULL)
        return tr_out_of_memory(err, file->path);
    tr_status status = tr_h5_texts_read(file, labels, add_label, &set, err);
    if (status == TR_OK)
        status = sort_names(&set, err);
    tr_free(set.sorted);
    return status;
}

static tr_status read_labels(tr_told_legend *told, const tr_h5_file *file,
                             const char *const names[2], tr_error *err)
{
    bool has = false;
    const char *name = NULL;
    for (int i = 0; i < 2 && !has; i++) {
        name = names[i];
        if (name != NULL)
            TR_TRY(tr_h5_file_has(file, name, &has, err));
    }
    if (!has)
        return TR_OK;
    tr_h5_array labels;
    tr_error elsewhere; /* what is wrong with the array is told by who wants its values */
    tr_status status = TR_OK;
    if (tr_h5_array_open_any(&labels, file, name, &elsewhere) == TR_OK) {
        if (labels.is_text)
            status = collect_labels(told, file, &labels, err);
        if (labels.is_bool) {
            told->n_classes = 2;
            strcpy(told->class_names[0], "False"); /* as Python writes them */
            strcpy(told->class_names[1], "True");
        }
    }
    tr_h5_array_close(&labels);
    return status;
}

/* ---- the file ---- */

typedef struct legend_visit {
    const tr_legend_place *place;
    tr_told_legend *told; /* shared */
} legend_visit;

static const char default_name[] = "class_names";

/* Under its default name anything may lie there, and is passed over when it names no classes. */
static tr_status read_names(tr_told_legend *told, const tr_h5_file *file,
                            const tr_legend_place *place, tr_error *err)
{
    bool has = true;
    const char *name = place->class_names == NULL ? default_name : place->class_names;
    const bool is_wanted = strcmp(name, default_name) != 0;
    if (!is_wanted || place->may_lack_names)
        TR_TRY(tr_h5_file_has(file, name, &has, err));
    if (is_wanted)
        return has ? tr_h5_legend_read_names(told, file, name, err) : TR_OK;
    tr_error ignored;
    if (has && tr_h5_legend_read_names(told, file, name, &ignored) != TR_OK)
        told->n_classes = 0;
    return TR_OK;
}

static tr_status read_legend(tr_told_legend *told, const tr_h5_file *file,
                             const tr_legend_place *place, tr_error *err)
{
    TR_TRY(tr_h5_legend_read_pictures(told, file, "", err));
    TR_TRY(read_names(told, file, place, err));
    return told->n_classes > 0 ? TR_OK : read_labels(told, file, place->labels, err);
}

static tr_status visit_file(void *job, tr_error *err)
{
    const legend_visit *visit = job;
    tr_h5_file file = {0};
    tr_status status = tr_h5_file_open(&file, visit->place->path, visit->place->policy, err);
    if (status == TR_OK)
        status = read_legend(visit->told, &file, visit->place, err);
    tr_h5_file_close(&file);
    return status;
}

tr_status tr_dataset_legend_read(tr_legend *out, const tr_legend_place *place, tr_error *err)
{
    legend_visit visit = {.place = place, .told = tr_shared_alloc(1, sizeof *visit.told)};
    const char *only_file = place->policy == TR_H5_DATASET_WITH_EXTERNAL ? NULL : place->path;
    if (visit.told == NULL)
        return tr_out_of_memory(err, place->path);
    tr_status status = tr_in_child_reaching(only_file, visit_file, &visit, place->path, err);
    if (status == TR_OK)
        status = tr_legend_believe(out, visit.told, err);
    tr_shared_free(visit.told);
    return status;
}

tr_status tr_legend_check_same(const tr_legend *legend, const char *path, const tr_legend *known,
                               const char *whose, tr_error *err)
{
    for (int64_t i = 0; i < legend->n_classes && i < known->n_classes; i++)
        if (strcmp(legend->class_names[i], known->class_names[i]) != 0)
            return tr_fail(err, TR_ERR_DATA,
                           "%s: class %lld is \"%s\", of %s it is \"%s\": the same classes must "
                           "have the same numbers",
                           path, (long long)i, legend->class_names[i], whose,
                           known->class_names[i]);
    return TR_OK;
}

/* ---- from labels to numbers ---- */

typedef struct label_reader {
    const tr_legend *legend;
    class_name *sorted; /* [legend->n_classes] */
    int32_t *classes;
    float *values;
    const tr_h5_file *file;
    const tr_h5_array *labels;
} label_reader;

/* Of two classes of one name the first one counts. */
static int by_name(const void *a, const void *b)
{
    const class_name *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->class > y->class) - (x->class < y->class);
}

static tr_status fail_unknown(const label_reader *self, int64_t i, const char *text, tr_error *err)
{
    enum { SHOWN = 10 };
    char names[1024] = "";
    TR_TRY(check_label(self->file, self->labels, i, text, err));
    for (int64_t k = 0; k < SHOWN && k < self->legend->n_classes; k++)
        tr_text_append(names, sizeof names, "%s%s", k > 0 ? ", " : "",
                       self->legend->class_names[k]);
    return tr_fail(err, TR_ERR_DATA,
                   "%s: %s is %s and holds \"%s\" at index %lld; the classes are %s%s",
                   self->file->path, self->labels->name, self->labels->text, text, (long long)i,
                   names, self->legend->n_classes > SHOWN ? ", ..." : "");
}

static tr_status take_label(void *user, int64_t i, const char *text, tr_error *err)
{
    const label_reader *self = user;
    const int64_t n = self->legend->n_classes, at = place_of(self->sorted, n, text);
    if (!is_at(self->sorted, n, at, text))
        return fail_unknown(self, i, text, err);
    if (self->classes != NULL)
        self->classes[i] = (int32_t)self->sorted[at].class;
    else
        self->values[i] = (float)self->sorted[at].class;
    return TR_OK;
}

tr_status tr_legend_read_labels(const tr_legend *legend, int32_t *classes, float *values,
                                const tr_h5_file *file, const tr_h5_array *labels, tr_error *err)
{
    label_reader self = {.legend = legend,
                         .sorted = tr_alloc((size_t)legend->n_classes, sizeof *self.sorted),
                         .classes = classes,
                         .values = values,
                         .file = file,
                         .labels = labels};
    if (self.sorted == NULL)
        return tr_out_of_memory(err, file->path);
    for (int64_t i = 0; i < legend->n_classes; i++)
        self.sorted[i] = (class_name){legend->class_names[i], i};
    qsort(self.sorted, (size_t)legend->n_classes, sizeof *self.sorted, by_name);
    const tr_status status = tr_h5_texts_read(file, labels, take_label, &self, err);
    tr_free(self.sorted);
    return status;
}
