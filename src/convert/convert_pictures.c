/* convert_pictures.c -- pictures in class folders into an HDF5 dataset; see trainer/convert.h.
 *
 * List (names alone), split, decode in child processes, write. Samples are numbered as the list
 * sorts them, so what is where does not depend on the file system, nor on which child is faster.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "children.h"
#include "file.h"
#include "mem.h"
#include "picture_list.h"
#include "picture_read.h"
#include "picture_set.h"
#include "trainer/convert.h"
#include "trainer/dataset.h"

enum { SECONDS = 60, MOST_NAMED = 10, MOST_CHILDREN = 256 };

/* Where a picture goes. */
typedef struct target {
    int64_t place;
    int part;
} target;

typedef struct conversion {
    const char *path;
    const tr_pictures_options *options;
    tr_pictures_report *report;
    tr_picture_list list;
    tr_picture_rules rules;
    bool exact; /* pictures of another size than the rules' are an error */
    target *targets;
    int64_t n_of_part[TR_PARTS], n_taken[TR_PARTS];
    char **notes;
    int64_t n_notes;
} conversion;

/* ---- what is said in the end ---- */

static bool note(conversion *self, char *text)
{
    char **grown = tr_grown(self->notes, (size_t)self->n_notes, sizeof *grown);
    if (text == NULL || grown == NULL) {
        tr_free(text);
        return false;
    }
    self->notes = grown;
    self->notes[self->n_notes++] = text;
    return true;
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
    const tr_picture_list *list = &self->list;
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
    const int64_t n = self->list.n;
    int32_t *y = tr_alloc((size_t)n, sizeof *y);
    if (y == NULL)
        return tr_out_of_memory(err, self->path);
    for (int64_t i = 0; i < n; i++)
        y[i] = self->list.pictures[i].class;
    tr_error cause = {0};
    tr_status status =
        options->stratify
            ? tr_split_make_stratified(split, y, n, options->test_split, options->split_seed,
                                       &cause)
            : tr_split_make(split, n, options->test_split, options->split_seed, &cause);
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
    const tr_picture_list *list = &self->list;
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

/* ---- in the children ---- */

typedef struct decoded {
    int64_t h, w;
    bool transparent;
    uint8_t pixels[];
} decoded;

static char *name_of(void *user, int64_t item)
{
    const conversion *self = user;
    return tr_path_join(self->path, self->list.text + self->list.pictures[item].path);
}

/* With rules without a size: only its size is told. */
static tr_status decode(void *user, int64_t item, void *result, tr_error *err)
{
    const conversion *self = user;
    decoded *to = result;
    char *path = name_of(user, item);
    if (path == NULL)
        return tr_out_of_memory(err, NULL);
    tr_picture_visit visit = {
        .path = path, .rules = self->rules, .pixels = self->rules.h == 0 ? NULL : to->pixels};
    tr_status status = tr_picture_visit_file(&visit, err);
    if (status == TR_OK && self->exact && (visit.h != self->rules.h || visit.w != self->rules.w))
        status = tr_fail(err, TR_ERR_CONFIG,
                         "%s: is %lld x %lld pixels (height x width), the first picture is "
                         "%lld x %lld; give the size that all shall have (--size)",
                         path, (long long)visit.h, (long long)visit.w, (long long)self->rules.h,
                         (long long)self->rules.w);
    to->h = visit.h;
    to->w = visit.w;
    to->transparent = visit.transparent;
    tr_free(path);
    return status;
}

static int count_children(const tr_pictures_options *options)
{
    cpu_set_t cpus;
    int n = options->n_children;
    if (n < 1)
        n = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
    return n < MOST_CHILDREN ? n : MOST_CHILDREN;
}

static tr_status start(tr_children **out, conversion *self, tr_error *err)
{
    const tr_picture_rules *rules = &self->rules;
    const tr_children_work work = {.work = decode,
                                   .name = name_of,
                                   .user = self,
                                   .n = self->list.n,
                                   .result_bytes = sizeof(decoded) +
                                                   (size_t)(rules->h * rules->w * rules->channels),
                                   .n_children = rules->h == 0 ? 1 : count_children(self->options),
                                   .seconds = SECONDS,
                                   .reach = self->path};
    return tr_children_start(out, &work, err);
}

/* ---- here ---- */

/* The size of the first picture that can be read. */
static tr_status find_size(conversion *self, tr_error *err)
{
    tr_children *children = NULL;
    const void *result = NULL;
    TR_TRY(start(&children, self, err));
    tr_status status = TR_ERR_DATA;
    for (int64_t i = 0; i < self->list.n && status == TR_ERR_DATA; i++)
        status = tr_children_next(children, &result, err);
    if (status == TR_OK) {
        const decoded found = *(const decoded *)result;
        self->rules.h = found.h;
        self->rules.w = found.w;
        self->exact = true;
    }
    tr_children_end(children);
    return status;
}

static tr_status check_size(const conversion *self, tr_error *err)
{
    const int64_t h = self->rules.h, w = self->rules.w;
    if (h >= 1 && w >= 1 && h <= 4096 && w <= 4096)
        return TR_OK;
    return tr_fail(err, TR_ERR_CONFIG,
                   "%s: pictures of %lld x %lld pixels (height x width) are no size for a "
                   "dataset; each side may be 1 to 4096",
                   self->path, (long long)h, (long long)w);
}

/* One that cannot be read. */
static tr_status take_fault(conversion *self, const tr_error *fault, tr_error *err)
{
    if (self->options->strict)
        return tr_fail(err, TR_ERR_DATA, "%s", fault->text);
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
    if (status == TR_ERR_DATA)
        return take_fault(self, &fault, err);
    if (status != TR_OK)
        return tr_fail(err, status, "%s", fault.text);
    const decoded *picture = result;
    self->report->n_transparent += picture->transparent;
    self->n_taken[self->targets[i].part]++;
    return tr_picture_set_put(set, self->targets[i].part, self->targets[i].place,
                              self->list.pictures[i].class, picture->pixels, err);
}

static tr_status take_all(conversion *self, tr_picture_set *set, tr_error *err)
{
    const tr_pictures_options *options = self->options;
    tr_children *children = NULL;
    TR_TRY(start(&children, self, err));
    tr_status status = TR_OK;
    for (int64_t i = 0; i < self->list.n && status == TR_OK; i++) {
        status = take_next(self, children, i, set, err);
        if (options->progress != NULL)
            options->progress(options->user, i + 1, self->list.n);
    }
    tr_children_end(children);
    return status;
}

static tr_status report_all(conversion *self, tr_error *err)
{
    tr_pictures_report *report = self->report;
    report->h = self->rules.h;
    report->w = self->rules.w;
    report->c = self->rules.channels;
    report->n_classes = self->list.n_classes;
    report->n_train = self->n_taken[TR_PART_TRAIN];
    report->n_test = self->n_taken[TR_PART_TEST];
    report->n_validation = self->n_taken[TR_PART_VALIDATION];
    return note_list(self) && note_pictures(self) ? join_notes(self, err)
                                                  : tr_out_of_memory(err, self->path);
}

static tr_status write_set(conversion *self, const char *out_path, tr_error *err)
{
    tr_picture_set set;
    const tr_picture_facts facts = {
        .rules = self->rules, .classes = self->list.classes, .n_classes = self->list.n_classes};
    tr_status status = tr_picture_set_open(&set, out_path, self->n_of_part, &facts, err);
    if (status == TR_OK)
        status = take_all(self, &set, err);
    if (status == TR_OK && self->report->n_broken == self->list.n)
        status =
            tr_fail(err, TR_ERR_DATA, "%s: none of its %lld pictures can be read; the first: %s",
                    self->path, (long long)self->list.n, self->notes[0]);
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
    TR_TRY(tr_picture_list_folder(&self->list, self->path, err));
    if (self->options->strict && self->list.n_empty > 0)
        return tr_fail(err, TR_ERR_DATA, "%s: the folder %s has no pictures", self->path,
                       self->list.empty[0]);
    TR_TRY(place_all(self, err));
    if (self->rules.h == 0)
        TR_TRY(find_size(self, err));
    TR_TRY(check_size(self, err));
    return write_set(self, out_path, err);
}

tr_status tr_convert_pictures(const char *path, const char *out_path,
                              const tr_pictures_options *options, tr_pictures_report *report,
                              tr_error *err)
{
    conversion self = {
        .path = path,
        .options = options,
        .report = report,
        .rules = {.h = options->h, .w = options->w, .channels = options->grey ? 1 : 3}};
    *report = (tr_pictures_report){0};
    if (!tr_fit_parse(&self.rules.fit, options->fit == NULL ? "crop" : options->fit))
        return tr_fail(err, TR_ERR_CONFIG, "fit = %s: must be crop, pad or stretch", options->fit);
    const tr_status status = convert(&self, out_path, err);
    for (int64_t i = 0; i < self.n_notes; i++)
        tr_free(self.notes[i]);
    tr_free(self.notes);
    tr_free(self.targets);
    tr_picture_list_release(&self.list);
    return status;
}
