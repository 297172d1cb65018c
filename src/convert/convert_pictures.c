/* convert_pictures.c -- pictures in class folders, on disk or in an archive, into an HDF5 dataset;
 * see trainer/convert.h.
 *
 * List (names alone), split, decode in child processes, write. Samples are numbered as the list
 * sorts them, so what is where does not depend on the file system, nor on which child is faster.
 */
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "picture_set.h"
#include "picture_source.h"
#include "split_parts.h"
#include "trainer/convert.h"
#include "utf8.h"

enum { MOST_NAMED = 10 };

/* Where a picture goes. */
typedef struct target {
    int64_t place;
    int part;
} target;

typedef struct conversion {
    const char *path;
    const tr_pictures_options *options;
    tr_pictures_report *report;
    tr_picture_source source;
    target *targets;
    int64_t n_of_part[TR_PARTS], n_taken[TR_PARTS];
    int64_t *n_to_train; /* of each class */
    char **notes;
    int64_t n_notes;
} conversion;

/* ---- what is said in the end ---- */

/* A line, which it takes over; names of files may hold anything. */
static bool note(conversion *self, char *text)
{
    char **grown = tr_grown(self->notes, (size_t)self->n_notes, sizeof *grown);
    if (grown != NULL)
        self->notes = grown;
    const size_t n = text == NULL ? 0 : strlen(text) + 1;
    char *clean = text == NULL || grown == NULL ? NULL : tr_alloc(n, 1);
    if (clean != NULL) {
        tr_utf8_clean(clean, n, text);
        self->notes[self->n_notes++] = clean;
    }
    tr_free(text);
    return clean != NULL;
}

/* "3 hidden, 2 .txt". */
static char *skipped_text(const tr_skipped *skipped)
{
    char text[TR_SKIPPED_KINDS * 48] = "";
    for (int i = 0; i < TR_SKIPPED_KINDS && skipped[i].n > 0; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%lld %s", i == 0 ? "" : ", ",
                 (long long)skipped[i].n, skipped[i].kind);
    }
    return tr_strdup(text);
}

static bool note_list(conversion *self)
{
    const tr_picture_list *list = &self->source.list;
    bool fine = true;
    for (int64_t i = 0; fine && i < list->n_empty; i++)
        fine = note(self, tr_format("%s: the folder %s has no pictures and becomes no class",
                                    self->path, list->empty[i]));
    if (fine && list->skipped[0].n > 0) {
        char *text = skipped_text(list->skipped);
        fine = text != NULL &&
               note(self, tr_format("%s: files that are not read: %s", self->path, text));
        tr_free(text);
    }
    return fine;
}

static bool note_pictures(conversion *self)
{
    const tr_pictures_report *report = self->report;
    bool fine = true;
    if (report->n_broken > MOST_NAMED)
        fine = note(self, tr_format("and %lld more pictures that cannot be read and are left out",
                                    (long long)(report->n_broken - MOST_NAMED)));
    if (fine && report->n_transparent > 0)
        fine = note(self, tr_format("%s: %lld pictures have transparent parts, which are white now",
                                    self->path, (long long)report->n_transparent));
    return fine;
}

static tr_status join_notes(conversion *self, tr_error *err)
{
    size_t n = 1;
    for (int64_t i = 0; i < self->n_notes; i++)
        n += strlen(self->notes[i]) + 1;
    char *text = tr_alloc(n, 1);
    if (text == NULL)
        return tr_out_of_memory(err, self->path);
    char *to = text;
    for (int64_t i = 0; i < self->n_notes; i++)
        to += sprintf(to, "%s\n", self->notes[i]);
    self->report->notes = text;
    return TR_OK;
}

/* ---- split ---- */

static tr_status make_split(tr_split *split, const conversion *self, tr_error *err)
{
    const tr_pictures_options *options = self->options;
    const int64_t n = self->source.list.n;
    int32_t *y = tr_alloc((size_t)n, sizeof *y);
    if (y == NULL)
        return tr_out_of_memory(err, self->path);
    for (int64_t i = 0; i < n; i++)
        y[i] = self->source.list.pictures[i].class;
    tr_error cause = {0};
    tr_split_wish wish = {.seed = options->split_seed,
                          .key = "--test-split",
                          .value = options->test_split,
                          .rest = "the test set",
                          .classes = (const char *const *)self->source.list.classes};
    tr_status status = tr_split_wish_share(&wish, n, &cause);
    if (status == TR_OK)
        status = options->stratify ? tr_split_parts_stratified(split, y, n, &wish, &cause)
                                   : tr_split_parts(split, n, &wish, &cause);
    if (status != TR_OK)
        status = tr_fail(err, status, "%s: the test set cannot be split off: %s", self->path,
                         cause.text);
    tr_free(y);
    return status;
}

static tr_status place_split(conversion *self, tr_error *err)
{
    tr_split split = {0};
    TR_TRY(make_split(&split, self, err));
    for (int64_t i = 0; i < split.n_train; i++)
        self->targets[split.train[i]] = (target){i, TR_PART_TRAIN};
    for (int64_t i = 0; i < split.n_validation; i++)
        self->targets[split.validation[i]] = (target){i, TR_PART_TEST};
    self->n_of_part[TR_PART_TRAIN] = split.n_train;
    self->n_of_part[TR_PART_TEST] = split.n_validation;
    tr_split_release(&split);
    return TR_OK;
}

static tr_status place_all(conversion *self, tr_error *err)
{
    const tr_picture_list *list = &self->source.list;
    self->targets = tr_alloc((size_t)list->n, sizeof *self->targets);
    if (self->targets == NULL)
        return tr_out_of_memory(err, self->path);
    if (self->options->test_split != 0 && list->has_parts)
        return tr_fail(err, TR_ERR_CONFIG,
                       "%s: has folders train and others already; leave the split out", self->path);
    if (self->options->test_split != 0)
        return place_split(self, err);
    for (int64_t i = 0; i < list->n; i++) {
        const int part = list->pictures[i].part;
        self->targets[i] = (target){self->n_of_part[part]++, part};
    }
    return TR_OK;
}

static tr_status count_to_train(conversion *self, tr_error *err)
{
    const tr_picture_list *list = &self->source.list;
    self->n_to_train = tr_alloc((size_t)list->n_classes, sizeof *self->n_to_train);
    if (self->n_to_train == NULL)
        return tr_out_of_memory(err, self->path);
    for (int64_t i = 0; i < list->n; i++)
        self->n_to_train[list->pictures[i].class] += self->targets[i].part == TR_PART_TRAIN;
    return TR_OK;
}

/* Classes that the split, or faults, left without a picture to train on: said, or the end. */
static tr_status check_to_train(conversion *self, tr_error *err)
{
    const tr_picture_list *list = &self->source.list;
    int64_t n = 0, first = 0;
    for (int64_t i = list->n_classes - 1; i >= 0; i--)
        if (self->n_to_train[i] == 0) {
            first = i;
            n++;
        }
    if (n == 0)
        return TR_OK;
    char *text =
        tr_format("%s: %lld of %lld classes have no picture to train on; the first: %s%s",
                  self->path, (long long)n, (long long)list->n_classes, list->classes[first],
                  self->options->test_split != 0 && !self->options->stratify
                      ? " (--stratify gives each its share of both parts)"
                      : "");
    if (self->options->strict && text != NULL) {
        const tr_status status = tr_fail(err, TR_ERR_DATA, "%s", text);
        tr_free(text);
        return status;
    }
    return note(self, text) ? TR_OK : tr_out_of_memory(err, self->path);
}

/* ---- the pictures ---- */

/* One that cannot be read. */
static tr_status take_fault(conversion *self, int64_t number, const tr_error *fault, tr_error *err)
{
    if (self->options->strict)
        return tr_fail(err, TR_ERR_DATA, "%s", fault->text);
    if (self->targets[number].part == TR_PART_TRAIN)
        self->n_to_train[self->source.list.pictures[number].class]--;
    if (self->report->n_broken++ < MOST_NAMED &&
        !note(self, tr_format("%s; left out", fault->text)))
        return tr_out_of_memory(err, self->path);
    return TR_OK;
}

static tr_status take_next(conversion *self, tr_children *children, int64_t i, tr_picture_set *set,
                           tr_error *err)
{
    const void *result = NULL;
    tr_error fault = {0};
    const tr_status status = tr_children_next(children, &result, &fault);
    const int64_t number = tr_picture_source_at(&self->source, i);
    if (status == TR_ERR_DATA)
        return take_fault(self, number, &fault, err);
    if (status != TR_OK)
        return tr_fail(err, status, "%s", fault.text);
    const tr_decoded_picture *picture = result;
    const target *to = &self->targets[number];
    self->report->n_transparent += picture->transparent != 0;
    self->n_taken[to->part]++;
    return tr_picture_set_put(set, to->part, to->place, self->source.list.pictures[number].class,
                              picture->pixels, err);
}

static tr_status take_all(conversion *self, tr_picture_set *set, tr_error *err)
{
    const tr_pictures_options *options = self->options;
    tr_children *children = NULL;
    TR_TRY(tr_picture_source_start(&children, &self->source, options->n_children, err));
    tr_status status = TR_OK;
    for (int64_t i = 0; i < self->source.list.n && status == TR_OK; i++) {
        status = take_next(self, children, i, set, err);
        if (options->progress != NULL)
            options->progress(options->user, i + 1, self->source.list.n);
    }
    tr_children_end(children);
    return status;
}

static tr_status report_all(conversion *self, tr_error *err)
{
    tr_pictures_report *report = self->report;
    report->h = self->source.rules.h;
    report->w = self->source.rules.w;
    report->c = self->source.rules.channels;
    report->n_classes = self->source.list.n_classes;
    report->n_train = self->n_taken[TR_PART_TRAIN];
    report->n_test = self->n_taken[TR_PART_TEST];
    report->n_validation = self->n_taken[TR_PART_VALIDATION];
    return note_list(self) && note_pictures(self) ? join_notes(self, err)
                                                  : tr_out_of_memory(err, self->path);
}

static tr_status write_set(conversion *self, const char *out_path, tr_error *err)
{
    tr_picture_set set;
    const tr_picture_facts facts = {.rules = self->source.rules,
                                    .classes = self->source.list.classes,
                                    .n_classes = self->source.list.n_classes};
    tr_status status = tr_picture_set_open(&set, out_path, self->n_of_part, &facts, err);
    if (status == TR_OK)
        status = take_all(self, &set, err);
    if (status == TR_OK && self->n_taken[TR_PART_TRAIN] == 0)
        status = tr_fail(err, TR_ERR_DATA,
                         "%s: none of its %lld pictures to train on can be read; the first fault: "
                         "%s",
                         self->path, (long long)self->n_of_part[TR_PART_TRAIN], self->notes[0]);
    if (status == TR_OK)
        status = check_to_train(self, err);
    if (status == TR_OK)
        status = report_all(self, err);
    if (status == TR_OK)
        status = tr_picture_set_finish(&set, &facts, err);
    if (status != TR_OK) {
        tr_free(self->report->notes);
        self->report->notes = NULL;
    }
    tr_picture_set_release(&set);
    return status;
}

static tr_status convert(conversion *self, const char *out_path, tr_error *err)
{
    if (self->options->strict && self->source.list.n_empty > 0) {
        char name[1024];
        tr_utf8_clean(name, sizeof name, self->source.list.empty[0]);
        return tr_fail(err, TR_ERR_DATA, "%s: the folder %s has no pictures", self->path, name);
    }
    TR_TRY(place_all(self, err));
    TR_TRY(count_to_train(self, err));
    if (self->options->strict)
        TR_TRY(check_to_train(self, err));
    TR_TRY(tr_picture_source_find_size(&self->source, err));
    return write_set(self, out_path, err);
}

tr_status tr_convert_pictures(const char *path, const char *out_path,
                              const tr_pictures_options *options, tr_pictures_report *report,
                              tr_error *err)
{
    conversion self = {.path = path, .options = options, .report = report};
    tr_picture_rules rules = {.h = options->h, .w = options->w, .channels = options->grey ? 1 : 3};
    *report = (tr_pictures_report){0};
    if (!tr_fit_parse(&rules.fit, options->fit == NULL ? "crop" : options->fit))
        return tr_fail(err, TR_ERR_CONFIG, "fit = %s: must be crop, pad or stretch", options->fit);
    tr_status status = tr_picture_source_open(&self.source, path, &rules, err);
    if (status == TR_OK)
        status = convert(&self, out_path, err);
    for (int64_t i = 0; i < self.n_notes; i++)
        tr_free(self.notes[i]);
    tr_free(self.notes);
    tr_free(self.targets);
    tr_free(self.n_to_train);
    tr_picture_source_release(&self.source);
    return status;
}
